"""Methods written once, for callers that wait and for callers that await.

A method is written as a plan, marked with `asks`, `lists` or `follows`. On a noun that belongs to
a `Workbench` it then gives back what it says, on one of an `AsyncWorkbench` something to await.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import (
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Self,
    TypeAlias,
    TypeVar,
    overload,
)

from workbench.client.listing import AsyncListing, Listing, Pages
from workbench.client.requests import Plan

T = TypeVar("T")
P = ParamSpec("P")
View: TypeAlias = dict[str, Any]
"""What the gateway says of a thing: the plain JSON of the HTTP interface."""


class Noun:
    """A thing of which the gateway has spoken.

    Attributes:
        about: All that it said of it when it was last asked.
    """

    def __init__(self, bench: Any, about: View) -> None:
        """The thing of which the gateway of *bench* said *about*."""
        self._bench = bench
        self.about = about


class Waiting:
    """A noun whose methods wait."""


class Awaited:
    """A noun whose methods are awaited."""


class asks(Generic[P, T]):
    """Marks a method that asks the gateway and gives back what came of it."""

    def __init__(self, method: Callable[Concatenate[Any, P], Plan[T]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, noun: None, kind: type) -> Self: ...
    @overload
    def __get__(self, noun: Waiting, kind: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, noun: Awaited, kind: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, noun: Any, kind: type) -> Any:
        """The method of *noun*, carried out the way its workbench carries plans out."""
        if noun is None:
            return self

        def carried_out(*args: P.args, **kwargs: P.kwargs) -> Any:
            return noun._bench.carry_out(self._method(noun, *args, **kwargs))

        return wraps(self._method)(carried_out)


class lists(Generic[P, T]):
    """Marks a method that gives a list, to go through with `for` or `async for`."""

    def __init__(self, method: Callable[Concatenate[Any, P], Pages[T]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, noun: None, kind: type) -> Self: ...
    @overload
    def __get__(self, noun: Waiting, kind: type) -> Callable[P, Listing[T]]: ...
    @overload
    def __get__(self, noun: Awaited, kind: type) -> Callable[P, AsyncListing[T]]: ...
    def __get__(self, noun: Any, kind: type) -> Any:
        """The method of *noun*, with a list of its workbench's kind."""
        if noun is None:
            return self

        def listed(*args: P.args, **kwargs: P.kwargs) -> Any:
            return noun._bench.listed(self._method(noun, *args, **kwargs))

        return wraps(self._method)(listed)


class follows(Generic[P]):
    """Marks a method that gives the events of the run whose id its plan hands back."""

    def __init__(self, method: Callable[Concatenate[Any, P], tuple[str, int]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, noun: None, kind: type) -> Self: ...
    @overload
    def __get__(self, noun: Waiting, kind: type) -> Callable[P, Iterator[View]]: ...
    @overload
    def __get__(self, noun: Awaited, kind: type) -> Callable[P, AsyncIterator[View]]: ...
    def __get__(self, noun: Any, kind: type) -> Any:
        """The method of *noun*, with a stream of its workbench's kind."""
        if noun is None:
            return self

        def followed(*args: P.args, **kwargs: P.kwargs) -> Any:
            run_id, after = self._method(noun, *args, **kwargs)
            return noun._bench.follow(run_id, after)

        return wraps(self._method)(followed)
