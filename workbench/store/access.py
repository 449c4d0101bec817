"""Users and tokens, as rows."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.domain.access import Principal, Role, Token, User, require_admin
from workbench.domain.paging import PAGE, Page, check_limit, write_cursor
from workbench.errors import InsufficientPermissions, NotFound
from workbench.store.catalog import Catalog
from workbench.store.cells import from_moment, moment, text, to_moment
from workbench.store.conditions import Condition, place, where
from workbench.store.connection import Query
from workbench.store.recent import Recent
from workbench.store.sight import tokens_seen_by, users_seen_by
from workbench.store.tables import TOKENS, USERS, Row, Table
from workbench.store.transaction import Transaction

_NEWEST = "created_at DESC, id DESC"
_BEHIND = "created_at < CAST({} AS TIMESTAMP) OR (created_at = CAST({} AS TIMESTAMP) AND id < {})"


class Access:
    """Everybody the workbench knows, and how they prove who they are."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._users: Recent[str, User] = Recent()
        self._tokens: Recent[str, Token] = Recent()

    async def put_user(self, principal: Principal, user: User) -> User:
        """*user*, once the workbench knows them as that.

        Raises:
            InsufficientPermissions: *principal* is not the administrator.
            Unavailable: The disk does not take it.
        """
        require_admin(principal)

        def change(rows: Transaction) -> User:
            rows.put(USERS, _user_row(user))
            return user

        return await self._catalog.transact(
            change, then=lambda kept: self._users.write(kept.name, kept)
        )

    async def user(self, name: str) -> User:
        """The user *name*; who asks is what this is asked for, so there is no principal yet.

        Raises:
            NotFound: Nobody is called that.
        """
        known = self._users.get(name)
        if known is not None:
            return known
        epoch = self._users.epoch
        row = await self._row(USERS, Condition("name = {}", (name,)))
        if row is None:
            raise NotFound(f"There is no user {name!r}.", user=name)
        user = _user(row)
        self._users.learn(name, user, epoch=epoch)
        return user

    async def users(self, principal: Principal) -> list[User]:
        """The users that *principal* may know of, by name."""
        rows = await self._rows(USERS, [users_seen_by(principal)], "name")
        return [_user(row) for row in rows]

    async def put_token(self, principal: Principal, token: Token) -> Token:
        """*token*, once it is good for what it says.

        Raises:
            InsufficientPermissions: It speaks for somebody else.
            NotFound: Nobody is called what it speaks for.
            Unavailable: The disk does not take it.
        """

        def change(rows: Transaction) -> Token:
            stored = rows.row(TOKENS, token.id)
            owners = {token.user} if stored is None else {token.user, text(stored["user_name"])}
            if not principal.is_admin and owners != {principal.user}:
                raise InsufficientPermissions("Only the administrator can speak for others.")
            if rows.row(USERS, token.user) is None:
                raise NotFound(f"There is no user {token.user!r}.", user=token.user)
            rows.put(TOKENS, _token_row(token))
            return token

        return await self._catalog.transact(
            change, then=lambda kept: self._tokens.write(kept.id, kept)
        )

    async def token(self, token_id: str) -> Token:
        """The token with that public id, good or not; there is no principal before it is known.

        Raises:
            NotFound: There is none.
        """
        known = self._tokens.get(token_id)
        if known is not None:
            return known
        epoch = self._tokens.epoch
        row = await self._row(TOKENS, Condition("id = {}", (token_id,)))
        if row is None:
            raise NotFound("There is no such token.")
        token = _token(row)
        self._tokens.learn(token_id, token, epoch=epoch)
        return token

    @property
    def epoch(self) -> int:
        """Another number whenever a token was written since: lists may read otherwise now."""
        return self._tokens.epoch

    async def tokens(
        self, principal: Principal, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[Token]:
        """A page of the tokens that *principal* may know of, newest first.

        Raises:
            InvalidRequest: The limit or the cursor makes no sense.
        """
        check_limit(limit)
        wanted = [tokens_seen_by(principal)]
        if cursor is not None:
            created_at, token_id = place(cursor)
            wanted.append(Condition(_BEHIND, (created_at, created_at, token_id)))
        rows = await self._rows(TOKENS, wanted, f"{_NEWEST} LIMIT {limit + 1}")
        tokens = [_token(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return Page(items=tokens)
        last = from_moment(tokens[-1].created_at) or ""
        return Page(items=tokens, next_cursor=write_cursor(last, tokens[-1].id))

    async def tokens_called(self, principal: Principal, which: str) -> list[Token]:
        """The tokens of that id or name that *principal* may know of, oldest first."""
        called = Condition("id = {} OR name = {}", (which, which))
        rows = await self._rows(TOKENS, [tokens_seen_by(principal), called], "created_at, id")
        return [_token(row) for row in rows]

    async def tokens_of(self, user: str) -> list[Token]:
        """The tokens that speak for *user*; asked before anybody is let in."""
        rows = await self._rows(TOKENS, [Condition("user_name = {}", (user,))], "created_at, id")
        return [_token(row) for row in rows]

    async def _row(self, table: Table, condition: Condition) -> Row | None:
        rows = await self._rows(table, [condition], table.listed)
        return rows[0] if rows else None

    async def _rows(self, table: Table, wanted: Iterable[Condition], order: str) -> list[Row]:
        conditions, values = where(wanted)
        sql = f"SELECT {table.listed} FROM {table.name} WHERE {conditions} ORDER BY {order}"

        def question(ask: Query) -> list[Row]:
            return [table.image(found) for found in ask(sql, *values)]

        return await self._catalog.read(question)


def _user_row(user: User) -> Row:
    return {
        "name": user.name,
        "role": str(user.role),
        "created_at": from_moment(user.created_at),
    }


def _user(row: Row) -> User:
    return User(
        name=text(row["name"]),
        role=Role(text(row["role"])),
        created_at=moment(row["created_at"]),
    )


def _token_row(token: Token) -> Row:
    return {
        "id": token.id,
        "name": token.name,
        "user_name": token.user,
        "digest": token.digest,
        "created_at": from_moment(token.created_at),
        "expires_at": from_moment(token.expires_at),
        "revoked_at": from_moment(token.revoked_at),
    }


def _token(row: Row) -> Token:
    return Token(
        id=text(row["id"]),
        name=text(row["name"]),
        user=text(row["user_name"]),
        digest=text(row["digest"]),
        created_at=moment(row["created_at"]),
        expires_at=to_moment(row["expires_at"]),
        revoked_at=to_moment(row["revoked_at"]),
    )
