"""The loopback server answers like a good publisher, and gives away nothing but the sample."""

from __future__ import annotations

import hashlib
import http.client
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

SCHOOLS = "www.schulministerium.nrw.de/BiPo/OpenData/Schuldaten/schuldaten.csv"
ZENSUS = "ergebnisse.zensus2022.de/api/rest/2020"
REPOSITORY = Path(__file__).resolve().parents[3]


def get(base: str, path: str, **headers: str) -> requests.Response:
    return requests.get(
        f"{base}/{path}", headers={name.replace("_", "-"): value for name, value in headers.items()}, timeout=10
    )


def raw_status(base: str, method: str, target: str, headers: dict[str, str] | None = None) -> int:
    """The status of a request whose target no client library has tidied up."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)
    connection.request(method, target, headers=headers or {})
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_file_comes_with_its_validators(base: str, publishers: Path) -> None:
    answer = get(base, SCHOOLS)
    expected = (publishers / SCHOOLS).read_bytes()
    assert (answer.status_code, answer.content) == (200, expected)
    assert answer.headers["ETag"] == f'"{hashlib.sha256(expected).hexdigest()}"'
    assert answer.headers["Last-Modified"] == "Sun, 01 Nov 2026 05:00:00 GMT"
    assert answer.headers["Content-Length"] == str(len(expected))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"


def test_a_query_does_not_hide_the_file(base: str) -> None:
    assert get(base, f"{SCHOOLS}?download=1").status_code == 200


def test_head_has_the_headers_and_no_body(base: str) -> None:
    answer = requests.head(f"{base}/{SCHOOLS}", timeout=10)
    assert answer.headers["Content-Length"] == get(base, SCHOOLS).headers["Content-Length"]
    assert answer.content == b""


def test_a_known_etag_is_not_sent_again(base: str) -> None:
    etag = get(base, SCHOOLS).headers["ETag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        answer = get(base, SCHOOLS, If_None_Match=known)
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert get(base, SCHOOLS, If_None_Match='"other"').status_code == 200


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Sun, 01 Nov 2026 05:00:00 GMT", 304),
        ("Mon, 02 Nov 2026 00:00:00 GMT", 304),
        ("Sun, 01 Nov 2026 04:59:59 GMT", 200),
        ("yesterday", 200),
    ],
)
def test_a_file_not_modified_since_is_not_sent_again(base: str, since: str, status: int) -> None:
    assert get(base, SCHOOLS, If_Modified_Since=since).status_code == status


def test_etag_goes_before_date(base: str) -> None:
    answer = get(base, SCHOOLS, If_None_Match='"other"', If_Modified_Since="Sun, 01 Nov 2026 05:00:00 GMT")
    assert answer.status_code == 200


def test_a_range_is_cut_out(base: str, publishers: Path) -> None:
    whole = (publishers / SCHOOLS).read_bytes()
    size = len(whole)
    for asked, start, stop in (
        ("bytes=5-9", 5, 10),
        (f"bytes={size - 3}-", size - 3, size),
        ("bytes=-4", size - 4, size),
    ):
        answer = get(base, SCHOOLS, Range=asked)
        assert (answer.status_code, answer.content) == (206, whole[start:stop])
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
    assert get(base, SCHOOLS, Range="bytes=0-999999999").content == whole


def test_a_range_beyond_the_file_is_refused(base: str, publishers: Path) -> None:
    size = (publishers / SCHOOLS).stat().st_size
    answer = get(base, SCHOOLS, Range=f"bytes={size}-")
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")


def test_a_range_of_another_version_gives_the_whole_file(base: str) -> None:
    etag = get(base, SCHOOLS).headers["ETag"]
    assert get(base, SCHOOLS, Range="bytes=5-9", If_Range=etag).status_code == 206
    assert get(base, SCHOOLS, Range="bytes=5-9", If_Range='"other"').status_code == 200


def test_what_is_not_published_is_not_found(base: str) -> None:
    stations = "raw.githubusercontent.com/od-ms/radverkehr-zaehlstellen/main"
    assert get(base, f"{stations}/900000002/2026-06.csv").status_code == 200
    for path in (f"{stations}/900000002/2026-07.csv", f"{stations}/900000002", "unknown.example/", "routes.json", ""):
        assert get(base, path).status_code == 404


@pytest.mark.parametrize(
    "target",
    [
        "/../../../../etc/passwd",
        "/www.schulministerium.nrw.de/../../../etc/passwd",
        "/www.schulministerium.nrw.de/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/www.schulministerium.nrw.de/..%2f..%2f..%2fetc%2fpasswd",
        "/x.example//etc/passwd",
        "//etc/passwd",
        "/x.example/..%5c..%5cetc",
        "/x.example/%00",
        "/.answers/ergebnisse.zensus2022.de/api/rest/2020/1000A-0000.zip",
        "/./routes.json",
        "/x.example/" + "a" * 5_000,
        "/x" * 5_000,
    ],
)
def test_no_path_leads_out_or_to_hidden_files(base: str, target: str) -> None:
    assert raw_status(base, "GET", target) == 404


def test_genesis_answers_a_form_with_a_zip(base: str) -> None:
    form = {"name": "1000A-0000", "area": "all", "format": "ffcsv", "language": "de", "compress": "false"}
    answer = requests.post(f"{base}/{ZENSUS}/data/tablefile", data=form, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["1000A-0000_1793509153999_de_flat.csv"]


def test_genesis_describes_a_table(base: str) -> None:
    url = f"{base}/www.regionalstatistik.de/genesisws/rest/2020/metadata/table"
    described = requests.post(url, data={"name": "12411-01-01-4"}, timeout=10).json()
    assert described["Status"]["Code"] == 0
    assert described["Object"]["Updated"] == "31.08.2026 11:18:07h"


@pytest.mark.parametrize("method", ["data/tablefile", "metadata/table"])
@pytest.mark.parametrize("form", [{"name": "9999X-0000"}, {"area": "all"}])
def test_genesis_does_not_know_other_tables(base: str, method: str, form: dict[str, str]) -> None:
    answer = requests.post(f"{base}/{ZENSUS}/{method}", data=form, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    told = answer.json()
    assert told["Status"]["Code"] == 104
    assert f"{told['Ident']['Service']}/{told['Ident']['Method']}" == method


def test_a_form_elsewhere_or_too_large_is_refused(base: str) -> None:
    assert requests.post(f"{base}/{SCHOOLS}", data={"name": "x"}, timeout=10).status_code == 404
    address = f"/{ZENSUS}/data/tablefile"
    assert raw_status(base, "POST", address, {"Content-Length": str(2**20)}) == 413
    assert raw_status(base, "POST", address, {"Content-Length": "many"}) == 411


def test_a_get_on_a_genesis_address_is_not_found(base: str) -> None:
    assert get(base, f"{ZENSUS}/data/tablefile").status_code == 404


def test_one_connection_serves_many_requests(base: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)
    connection.connect()
    first = connection.sock
    for target in (f"/{SCHOOLS}", "/unknown.example/x", f"/{SCHOOLS}"):
        connection.request("GET", target)
        connection.getresponse().read()
    assert connection.sock is first
    connection.close()


def test_the_command_serves_until_it_is_told_to_stop(publishers: Path) -> None:
    command = [sys.executable, "-m", "muensterland.sample", "--port", "0", "--folder", str(publishers)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        base = process.stdout.readline().split()[-1]
        assert get(base, SCHOOLS).status_code == 200
        assert get(base, "unknown.example/x").status_code == 404
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


SERIES = "www.eco-visio.net/api/aladdin/1.0.0/pbl/publicwebpageplus/data/900100002"


def test_a_query_chooses_where_the_address_answers_several(base: str) -> None:
    asked = "interval=3&idOrganisme=4586&idPdc=900100002&flowIds=900110002&debut=01/{0}/2026&fin=01/{1}/2026"
    march, april = (get(base, f"{SERIES}?{asked.format(*months)}").json() for months in (("03", "04"), ("04", "05")))
    assert (march[0][0], len(march)) == ("03/01/2026", 31 * 24 - 1)
    assert (april[0][0], len(april)) == ("04/01/2026", 30 * 24)


@pytest.mark.parametrize("query", ["", "?idPdc=900100002", "?debut=01/03/2031&fin=01/04/2031"])
def test_a_query_that_nothing_answers_finds_nothing(base: str, query: str) -> None:
    assert get(base, f"{SERIES}{query}").status_code == 404
