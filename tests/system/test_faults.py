"""A selection of what goes wrong between here and the provider, end to end."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product, interrupt

ACCEPTED_UNCLEARLY = (
    "submit_answer_lost@close",
    "submit_answer_lost@reset",
    "submit_500_after",
    "submit_500_after@504",
    "submit_no_id",
    "submit_html",
    "submit_half_json",
    "submit_stall",
)
POLLS = (
    "query_500*2",
    "query_reset*2",
    "query_html",
    "query_half_json",
    "query_429_seconds@0.2",
    "query_unknown_status*3",
    "query_missing_status*3",
    "query_progress_null",
    "query_not_found_early*2",
    "query_no_url*2",
    "query_url_result",
    "query_url_plain",
    "query_url_data",
    "query_status_upper",
    "query_status_succeeded",
    "query_status_succeed",
    "query_status_success][fault:query_progress_percent][fault:query_nested",
    "query_status_word@reticulated",
    "query_status_success][fault:query_url_signed",
    "query_url_signed@60000",
)
DOWNLOADS = (
    "download_403",
    "download_404",
    "download_410",
    "download_500",
    "download_reset",
    "download_cut",
    "download_cut_chunked",
    "download_cut_close",
    "download_longer",
    "download_gzip",
    "download_corrupt_head",
    "download_html",
    "download_json",
    "download_empty",
    "download_redirect",
    "download_truncated",
    "download_cut][fault:download_range_ignored*all",
    "download_cut][fault:download_416",
    "download_cut][fault:download_etag_changed*all",
)


def marked(faults: tuple[str, ...]) -> list[dict[str, str]]:
    """Return one row for each fault, which its prompt asks for."""
    return [
        sheets.row(f"F{number:02}", prompt=f"[fault:{fault}] shot {number}", duration="4")
        for number, fault in enumerate(faults, 1)
    ]


def shop(product: Product, lines: list[dict[str, str]]) -> tuple[Path, Path]:
    """Write a manifest; return it and its output folder."""
    return sheets.write(product.folder / "shop.csv", lines), product.folder / "outputs" / "shop"


def test_lost_answers_are_found_again(product: Product, api: Api) -> None:
    """Accepted, but the answer was lost or unreadable: one POST each, all found by look-up."""
    late = "[fault:submit_answer_lost] found late [fault:query_lookup_late*1]"
    manifest, out = shop(product, [*marked(ACCEPTED_UNCLEARLY), sheets.row("LATE", prompt=late)])
    mark = api.mark()
    ended = product("run", manifest, sets={"api.submit_timeout_s": "2", "api.lookup_s": "20"})
    assert ended.code == 0, ended.err
    assert set(sheets.states(out).values()) == {"done"}
    for one in sheets.results(out):
        assert len(api.accepted(one["prompt"])) == 1
        assert api.posts_of(one["prompt"], since=mark) == 1
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_what_cannot_be_looked_up_is_settled_by_a_person(product: Product, api: Api) -> None:
    """In doubt: exit 3, never sent again by itself; `resolve` settles it both ways."""
    lines = sheets.rows(3)
    lines[1]["prompt"] = "[fault:submit_redirect] shot of P0002"
    manifest, out = shop(product, lines)
    quick = {"api.lookup_s": "1"}
    api.faults("submit_answer_lost", "query_lookup_unsupported")
    mark = api.mark()
    assert product("run", manifest, sets={**quick, "limits.outstanding": "2"}).code == 3
    assert set(sheets.states(out).values()) == {"in_doubt"}
    assert all("resolve" in one["result_action"] for one in sheets.results(out))
    api.faults("query_lookup_unsupported")
    again = product("run", manifest, sets=quick)
    assert again.code == 3
    assert len(api.calls("submit", since=mark)) == 3, "nothing was sent again"

    wrong = product("resolve", manifest, "P0001", "--task-id", "video_nobody_knows")
    assert wrong.code == 2
    assert "video_nobody_knows" in wrong.err
    task_id = api.accepted("shot of P0001")[-1]["task_id"]
    assert product("resolve", manifest, "P0001", "--task-id", task_id).code == 0
    taken = product("resolve", manifest, "P0003", "--task-id", task_id)
    assert taken.code == 2
    assert "belongs to the row 'P0001'" in taken.err
    assert product("resolve", manifest, "P0002", "--not-sent").code == 0
    assert product("resolve", manifest, "P0002", "--not-sent").code == 2, "it is settled"
    assert product("run", manifest, sets=quick).code == 3
    assert sheets.states(out) == {"P0001": "done", "P0002": "done", "P0003": "in_doubt"}
    by_key = {one["sku"]: one for one in sheets.results(out)}
    assert by_key["P0001"]["result_task_id"] == task_id
    assert by_key["P0002"]["result_attempts"] == "2"
    assert api.posts_of(lines[1]["prompt"], since=mark) == 2
    api.faults()
    assert product("run", manifest).code == 0, "the look-up finds the third one now"
    assert len(api.calls("submit", since=mark)) == 4
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_a_redirected_submission_is_not_followed(product: Product, api: Api) -> None:
    """307 and 308 on a POST: one call each, nobody knows what became of it, so it is in doubt."""
    manifest, out = shop(product, marked(("submit_redirect@307", "submit_redirect@308")))
    mark = api.mark()
    assert product("run", manifest, sets={"api.lookup_s": "0.5"}).code == 3
    assert len(api.calls("submit", since=mark)) == 2
    assert set(sheets.states(out).values()) == {"in_doubt"}
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_a_storm_of_429_costs_no_row_and_no_attempt(product: Product, api: Api) -> None:
    """Nine of ten refused, with and without Retry-After: sent again later, as attempt 1."""
    manifest, out = shop(product, sheets.rows(25))
    api.faults(
        "submit_rate_limit_unavailable*1", "submit_429=0.5*3", "submit_429_seconds=0.6*3@0.2",
        "submit_429_date=0.5*1@1",
    )  # fmt: skip
    mark = api.mark()
    ended = product("run", manifest)
    assert ended.code == 0, ended.err
    assert {one["result_attempts"] for one in sheets.results(out)} == {"1"}
    accepted = [len(api.accepted(one["prompt"])) for one in sheets.results(out)]
    assert min(accepted) >= 1
    assert 25 < len(api.calls("submit", since=mark)) <= 25 + 8, "the rows, and the refusals"
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


@pytest.mark.parametrize("fault", ["submit_402", "submit_quota", "submit_401"])
def test_no_credit_or_no_right_stops_submitting(product: Product, api: Api, fault: str) -> None:
    """Exit 4 in the middle; what is paid for stays or comes, what is not sent waits."""
    manifest, out = shop(product, sheets.rows(12))
    few = {"limits.outstanding": "4", "limits.submits_in_flight": "1"}
    api.faults("submit_slow@0.1", f"{fault}=0.4")
    ended = product("run", manifest, sets=few)
    assert ended.code == 4, ended.err
    states = list(sheets.states(out).values())
    assert set(states) <= {"done", "waiting", "running"}
    assert "waiting" in states
    assert sheets.summary(out)["stopped_by"]
    invariants.hold(api, product, manifest, out, manifest.read_bytes())
    api.faults()
    assert product("run", manifest, "-q").code == 0
    attempts = [one["result_attempts"] for one in sheets.results(out)]
    assert attempts == ["1"] * 12, "what was not accepted costs no attempt"


def test_five_equal_refusals_stop_the_run(product: Product, api: Api) -> None:
    """A setting that the provider refuses is not tried on every row of the night."""
    manifest, out = shop(product, sheets.rows(20))
    api.faults("submit_model_not_found")
    ended = product("run", manifest, sets={"limits.submits_in_flight": "1"})
    assert ended.code == 4
    assert "api.model" in ended.err
    assert [*sheets.states(out).values()] == ["refused"] * 5 + ["waiting"] * 15


def test_bad_polls_fail_no_row(product: Product, api: Api) -> None:
    """Whatever answers come to queries: the right file in the end, one POST each."""
    manifest, out = shop(product, marked(POLLS))
    mark = api.mark()
    ended = product("run", manifest)
    assert ended.code == 0, (ended.err, sheets.states(out))
    assert len(api.calls("submit", since=mark)) == len(POLLS)
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_words_and_addresses_of_vendors(product: Product, api: Api) -> None:
    """A failure ends a row; an address that cannot be used and an unknown status are named."""
    lines = marked(
        (
            "query_failed_reason][fault:query_status_failure",
            "query_url_not_http",
            "query_never_finishing][fault:query_unknown_status*all",
            "submit_id_in_list][fault:query_status_success][fault:query_url_signed@10000",
        )
    )
    manifest, out = shop(product, lines)
    mark = api.mark()
    ended = product("run", manifest, sets={"polling.deadline_s": "6"})
    assert [*sheets.states(out).values()] == ["failed", "expired", "running", "done"], ended.err
    _, unusable, unknown, _ = sheets.results(out)
    assert "'file:///etc/hostname' does not begin with http" in unusable["result_error"]
    assert "unusable_video_url" in unusable["result_error"]
    assert '"reticulating"' in unknown["result_warnings"]
    assert '"status": "reticulating"' in (out / "run.log").read_text(encoding="utf-8")
    assert len(api.calls("submit", since=mark)) == len(lines)


def test_tasks_that_are_not_found_for_good(product: Product, api: Api) -> None:
    """By 404 and by 400: missing after the grace time, exit 3, never sent again; then they show."""
    manifest, out = shop(product, sheets.rows(6))
    api.faults("query_not_found=0.5", "query_task_not_exist")
    mark = api.mark()
    for _ in range(2):
        ended = product("run", manifest, sets={"api.missing_grace_s": "0.5"})
        assert ended.code == 3, ended.err
        assert [*sheets.states(out).values()] == ["missing"] * 6
        assert all(one["result_action"] for one in sheets.results(out))
    api.faults()
    assert product("run", manifest).code == 0
    assert len(api.calls("submit", since=mark)) == 6
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_tasks_that_never_end(product: Product, api: Api) -> None:
    """They stay running past the deadline, exit 5; the next run takes them up."""
    manifest, out = shop(product, sheets.rows(3))
    api.faults("query_never_finishing")
    mark = api.mark()
    ended = product("run", manifest, sets={"polling.deadline_s": "0.5"})
    assert ended.code == 5, ended.err
    assert [*sheets.states(out).values()] == ["running"] * 3
    api.faults()
    assert product("run", manifest).code == 0
    assert len(api.calls("submit", since=mark)) == 3
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


@pytest.mark.long
def test_a_hundred_videos_over_bad_downloads(product: Product, api: Api) -> None:
    """Every kind of bad download, five times each: a hundred of a hundred right by sha256."""
    faults = (*DOWNLOADS, "download_cut@100][fault:download_reset") * 5
    manifest, out = shop(product, marked(faults))
    mark = api.mark()
    ended = product("run", manifest, sets={"output.verify": "first_frame"})
    assert ended.code == 0, (ended.err, sheets.states(out))
    assert [*sheets.states(out).values()] == ["done"] * 100
    assert len(api.calls("submit", since=mark)) == 100
    invariants.hold(api, product, manifest, out, manifest.read_bytes())
    names = sorted(path.name for path in (out / "videos").iterdir())
    assert names == sorted(f"F{n:02}.mp4" for n in range(1, 101)), "no part file is left"


def test_refused_rows_and_dead_links(product: Product, api: Api) -> None:
    """A refused row and a video without a link each exit 1, say why, and cost no other row."""
    lines = marked(("submit_422", "submit_413", "query_no_url*all"))
    manifest, out = shop(product, [*lines, sheets.row("OK")])
    ended = product("run", manifest)
    assert ended.code == 1, ended.err
    results = sheets.results(out)
    states = [one["result_state"] for one in results]
    assert states == ["refused", "refused", "expired", "done"]
    assert all(one["result_error"] and one["result_action"] for one in results[:3])
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_the_base_url_may_hold_the_version(product: Product, api: Api) -> None:
    """With /v1 and a slash it is the same API."""
    manifest, _ = shop(product, sheets.rows(1))
    ended = product("run", manifest, "-q", sets={"api.base_url": f"{api.base_url}/v1/"})
    assert ended.code == 0, ended.err


def test_a_wrong_key_and_no_key(product: Product, api: Api) -> None:
    """A wrong key stops with 4, none with 2 and the variable's name; all rows wait either way."""
    manifest, out = shop(product, sheets.rows(3))
    wrong = Product(product.folder, api.base_url, "sk-wrong-0123456789")
    ended = wrong("run", manifest)
    assert ended.code == 4
    assert "api.key_env" in ended.err
    assert set(sheets.states(out).values()) == {"waiting"}
    invariants.no_secret(wrong, "sk-wrong-0123456789")
    mark = api.mark()
    none = Product(product.folder, api.base_url, None)("run", manifest)
    assert none.code == 2
    assert "TOAPIS_API_KEY" in none.err
    assert api.calls(since=mark) == []


def test_nobody_answers(product: Product) -> None:
    """Connections refused: rows wait, Ctrl-C ends it with 130 and results, nothing is in doubt."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    manifest, out = shop(product, sheets.rows(3))
    process = product.start("run", manifest, sets={"api.base_url": f"http://127.0.0.1:{port}"})
    log = out / "run.log"
    wait_for("a refusal", lambda: log.exists() and "NotAccepted" in log.read_text())
    interrupt(process)
    ended = product.end(process)
    assert ended.code == 130, ended.err
    assert set(sheets.states(out).values()) == {"waiting"}
