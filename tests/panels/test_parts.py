"""What people do is heeded on the loop that a panel lives on, whichever thread it is told in."""

import asyncio
import threading

from workbench.panels.parts import Actions


def test_what_is_told_in_another_thread_is_heeded_on_the_panels_own_loop():
    async def whole():
        heeded = asyncio.get_running_loop().create_future()
        part = Actions(lambda told: heeded.set_result((told, threading.get_ident())), buttons=[])

        async def elsewhere():
            part._handle_custom_msg({"press": "run"}, [])

        thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
        thread.start()
        told, where = await asyncio.wait_for(heeded, 10)
        thread.join()
        return told, where

    assert asyncio.run(whole()) == ({"press": "run"}, threading.get_ident())


def test_what_is_told_without_a_loop_is_heeded_at_once():
    told = []

    Actions(told.append, buttons=[])._handle_custom_msg({"press": "run"}, [])

    assert told == [{"press": "run"}]
