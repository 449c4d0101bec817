"""Kernels of pages come from a template by a fork, or as they always do where there is none."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.panels.conftest import ROOT
from workbench.gallery.forking import PageClient, PageKernel, Template

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="there are no handles on processes"),
]


@pytest.fixture
def environment(tmp_path):
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "JUPYTER_RUNTIME_DIR": str(tmp_path),
    }


def with_template(environment, test, modules=("json",)):
    async def whole():
        template = Template(modules, environment)
        try:
            async with asyncio.timeout(90):
                return await test(template)
        finally:
            template.close()

    return asyncio.run(whole())


def ended(forked):
    return asyncio.to_thread(forked.wait, 60)


def test_a_forked_kernel_has_the_environment_it_is_given_and_no_other(environment, tmp_path):
    given = {**environment, "ONLY_MINE": "yes"}

    async def test(template):
        forked = await template.fork([], given)
        environ = Path(f"/proc/{forked.pid}/environ")
        told = dict(line.split("=", 1) for line in await _living(tmp_path, given) if "=" in line)
        assert environ.exists()
        assert forked.poll() is None
        forked.kill()
        assert await ended(forked) == 0
        forked.kill()
        return told

    told = with_template(environment, test)

    assert {name: told[name] for name in given} == given


async def _living(runtime, given):
    """What a kernel that has been forked says of its environment."""
    while not (files := [path for path in runtime.glob("kernel-*.json") if path.stat().st_size]):
        await asyncio.sleep(0.02)
    client = PageClient(connection_file=str(files[0]))
    client.load_connection_file()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        asked = "import os; print('\\n'.join(f'{k}={v}' for k, v in os.environ.items()))"
        client.execute(asked)
        while True:
            said = await client.get_iopub_msg(timeout=60)
            if said["msg_type"] == "stream":
                return said["content"]["text"].splitlines()
    finally:
        client.stop_channels()


def test_a_template_that_is_gone_is_begun_again_and_its_kernels_end_with_it(environment):
    async def test(template):
        first = await template.fork([], environment)
        os.kill(template._process.pid, 9)
        assert await ended(first) == 0
        failed = await template.fork([], environment)
        again = await template.fork([], environment)
        template.close()
        return failed, await ended(again)

    assert with_template(environment, test) == (None, 0)


def test_what_cannot_be_imported_is_no_template(environment):
    async def test(template):
        return await template.fork([], environment)

    assert with_template(environment, test, modules=["no_such_module_at_all"]) is None


@pytest.mark.parametrize("launcher", ["ipykernel_launcher", "ipykernel"])
def test_a_kernel_starts_and_answers_whether_it_can_be_forked_or_not(environment, launcher):
    command = [sys.executable, "-m", launcher, "-f", "{connection_file}"]

    async def test(template):
        kernel = PageKernel(parent=None, kernel_name="python3", template=template)
        kernel._kernel_spec = kernel.kernel_spec
        kernel.kernel_spec.argv = command
        await kernel.start_kernel(env=environment)
        client = kernel.client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        client.stop_channels()
        kind = type(kernel.provisioner.process)
        await kernel.shutdown_kernel(now=True)
        return kind

    forked = with_template(environment, test) is not subprocess.Popen
    assert forked == (launcher == "ipykernel_launcher")
