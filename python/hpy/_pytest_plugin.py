"""The pytest plugin, which pytest finds by itself where hpy is installed: ``pytest --hpy-debug``.

It is imported at the start of every run of pytest, so it imports nothing of HPy until it is used.
"""

import os

import pytest

OPTION_HELP = (
    "Load universal and hybrid HPy extensions in debug mode, and fail each test that leaves "
    "handles open or uses the API in a wrong way. Which modules: the environment variable HPY, by "
    "default all. HPY_DEBUG_TRACES=16 shows the C lines that opened the handles."
)
MARKERS = (
    "hpy_debug: fail the test if extensions that are loaded in debug mode leave handles open or "
    "use the API in a wrong way, also without --hpy-debug.",
    "no_hpy_debug: do not fail the test for what extensions do in debug mode.",
)
TITLE = "HPy debug mode"
ACTION = "HPY_DEBUG_ACTION"


def pytest_addoption(parser):
    """Add the option and the setting."""
    group = parser.getgroup("hpy", "HPy extensions")
    group.addoption("--hpy-debug", action="store_true", default=False, help=OPTION_HELP)
    parser.addini("hpy_debug", "The same as --hpy-debug.", type="bool", default=False)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config):
    """Choose the mode, before anything that is tested is imported."""
    if _is_on(early_config, early_config.known_args_namespace) and not _environment_asks():
        os.environ["HPY"] = "debug"


def pytest_configure(config):
    """Register the markers, and prepare debug mode if it was asked for."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    on = _is_on(config, config.option)
    if not on and not _environment_asks():
        return
    try:
        from hpy.universal import _debug
    except (ImportError, ValueError) as error:
        if on:
            raise pytest.UsageError(f"--hpy-debug: {error}") from error
        return
    # Output is not captured at this moment. The message of a finding that ends the process would go
    # where the test's output goes, and nobody would see it.
    _debug._copy_last_message(os.dup(2))
    _debug._report_faults()
    config.add_cleanup(lambda: _debug._copy_last_message(None))
    if on:
        if not os.environ.get(ACTION):
            _debug.set_action("raise")
        _debug._report_leaks_at_exit(False)  # tests are told what they leave open
        config.pluginmanager.register(_Outside(config), "hpy-debug-outside")


def _is_on(config, options):
    # The option is not there if only the fixture was imported, without the plugin.
    option = getattr(options, "hpy_debug", None)
    return option is not None and (option or config.getini("hpy_debug"))


def _environment_asks():
    return "debug" in os.environ.get("HPY", "").lower()


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    """Check what fixtures do. A memoryview that one makes may live longer than a test."""
    yield from _checked(item, buffers=False)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    """Check what the test does."""
    yield from _checked(item, buffers=True)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_teardown(item):
    """Check what the ends of fixtures do."""
    yield from _checked(item, buffers=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Put what was found into a section of its own."""
    outcome = yield
    text = _found.pop(item, None)
    if text:
        outcome.get_result().sections.append((TITLE, text))


_found = {}
"""What is to be shown in the next report of an item."""


def _checked(item, *, buffers):
    if not _is_checked(item):
        yield
        return
    from hpy.universal import _debug

    from hpy.debug import leaks, new_generation

    _debug._take_findings()
    generation = new_generation()
    outcome = yield
    report = leaks(since=generation, buffers=buffers, in_calls=False)
    findings = _debug._take_findings()
    for text, is_soft in findings:
        if is_soft:
            item.warn(pytest.PytestWarning(text))
    texts = [text for text, is_soft in findings if not is_soft]
    titles = [text.partition("\n")[0] for text in texts]
    if report:
        texts.append(report.text(colour=item.config.get_terminal_writer().hasmarkup))
        titles.append(report.title)
    if not texts:
        return
    _found[item] = "\n".join(texts)
    if outcome.excinfo is None:
        text = f"{TITLE}: {'; '.join(titles)}"
        outcome.force_exception(pytest.fail.Exception(text, pytrace=False))


def _is_checked(item):
    if item.get_closest_marker("no_hpy_debug"):
        return False
    return item.get_closest_marker("hpy_debug") or _is_on(item.config, item.config.option)


@pytest.fixture
def hpy_debug(request):
    """Fail the test if an extension that is loaded in debug mode leaves handles open."""
    from hpy.debug import LeakDetector

    if _is_checked(request.node):
        yield LeakDetector()
        return
    with LeakDetector() as detector:
        yield detector


class _Outside:
    """What is left open while the tests are collected, which no test can be told."""

    def __init__(self, config):
        self.config = config
        self.texts = []

    def pytest_collection_finish(self):
        from hpy.debug import leaks

        report = leaks(buffers=False, in_calls=False)
        if report:
            self.texts.append(str(report))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        # What a process of pytest-xdist has found.
        for text in getattr(node, "workeroutput", {}).get("hpy_debug", ()):
            if text not in self.texts:
                self.texts.append(text)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["hpy_debug"] = self.texts
        elif self.texts and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        for text in self.texts:
            terminalreporter.section(f"{TITLE}: while the tests were collected", red=True)
            terminalreporter.line(text)
