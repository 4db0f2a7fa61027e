"""SOAP: an envelope as the WSDL wants it, the answer as values, and every address through the same guard."""

import socket
from collections.abc import Sequence
from typing import Any

import defusedxml.ElementTree as Safe
import pytest

from services.engine.program.values import ProgramError
from services.engine.web.soap import call
from tests.doubles.web_site import WebSite
from tests.unit.engine.web.conftest import Make, world_of

pytestmark = pytest.mark.unit
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:shop"
 elementFormDefault="qualified">
<xs:element name="GetPrice"><xs:complexType><xs:sequence><xs:element name="Item" type="xs:string"/>
<xs:element name="Amount" type="xs:int"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
TYPES = f"<types>{SCHEMA}</types>"
WSDL = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/{soap}/"
 xmlns:t="urn:shop" targetNamespace="urn:shop">{types}
<message name="In"><part name="parameters" element="t:GetPrice"/></message>
<message name="Rpc"><part name="a"/><part name="b"/></message>
<portType name="P"><operation name="GetPrice"><input message="t:In"/></operation>
<operation name="Add"><input message="t:Rpc"/></operation></portType>
<binding name="B" type="t:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
<operation name="GetPrice"><soap:operation soapAction="urn:shop#GetPrice"/>
<input><soap:body use="literal"/></input></operation>
<operation name="Add"><soap:operation soapAction=""/>
<input><soap:body use="literal" namespace="urn:calc"/></input></operation>
</binding>
<service name="S"><port name="P1" binding="t:B">
<soap:address location="{address}"/></port></service></definitions>"""
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
REFERENCE = """<types><x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:{} schemaLocation="{}"/></x:schema>
</types>"""
ANSWER = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>"""
PRICE = """<m:GetPriceResponse xmlns:m="urn:shop" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
<m:Result><m:price>5.50</m:price>
<m:tag>a</m:tag><m:tag>b</m:tag><m:note i:nil="true"/></m:Result></m:GetPriceResponse>"""


@pytest.fixture
def service(site: WebSite) -> Any:
    """Puts a service on the site, gives the address of its WSDL."""

    def put(answer: str = PRICE, *, soap: str = "soap", address: str = "", types: str = TYPES) -> str:
        site.pages["/shop.wsdl"] = (
            "text/xml",
            WSDL.format(soap=soap, types=types, address=address or site.url("/shop")),
        )
        site.pages["/shop"] = ("text/xml; charset=utf-8", ANSWER.format(answer))
        return site.url("/shop.wsdl")

    return put


def sent(site: WebSite) -> Any:
    """The element inside the body that was sent."""
    body = Safe.fromstring(site.asked[-1].body).find("{*}Body")
    assert body is not None
    return body[0]


async def test_an_operation_is_called_as_its_wsdl_says(site: WebSite, make: Make, service: Any) -> None:
    world = world_of(settings={"headers": {"X-Session": "1", "Content-Type": "application/json"}})
    found = await call(make(), world, service(), "getprice", [{"amount": 2, "item": "<Tea> & co"}])
    assert found["price"] == "5.50"
    assert found["Result"] == {"price": "5.50", "tag": ["a", "b"], "note": None}
    hit = site.asked[-1]
    assert (hit.method, hit.path, hit.headers["x-session"]) == ("POST", "/shop", "1")
    assert (hit.headers["soapaction"], hit.headers["content-type"]) == (
        '"urn:shop#GetPrice"',
        "text/xml; charset=utf-8",
    )
    assert "idempotency-key" in hit.headers
    element = sent(site)
    assert element.tag == "{urn:shop}GetPrice"
    assert [(part.tag, part.text) for part in element] == [("{urn:shop}Item", "<Tea> & co"), ("{urn:shop}Amount", "2")]


async def test_values_go_into_the_parts_in_their_order(site: WebSite, make: Make, service: Any) -> None:
    await call(make(), world_of(), service(), "GetPrice", ["Tea", 3])
    assert [part.text for part in sent(site)] == ["Tea", "3"]
    await call(make(), world_of(), service(), "Add", [1, 2])
    assert (sent(site).tag, [part.tag for part in sent(site)]) == ("{urn:calc}Add", ["a", "b"])
    with pytest.raises(ProgramError, match=r"takes 2 values \(Item, Amount\), 3 were given"):
        await call(make(), world_of(), service(), "GetPrice", [1, 2, 3])
    with pytest.raises(ProgramError, match="no operation Nothing; it has Add, GetPrice"):
        await call(make(), world_of(), service(), "Nothing", [])


async def test_soap_12_and_schemas_elsewhere(site: WebSite, make: Make, service: Any) -> None:
    site.pages["/types.xsd"] = ("text/xml", SCHEMA)
    types = REFERENCE.format("import", "types.xsd")
    await call(make(), world_of(), service(soap="soap12", types=types), "GetPrice", ["Tea", 1])
    assert site.asked[-1].headers["content-type"].startswith("application/soap+xml")
    assert b"http://www.w3.org/2003/05/soap-envelope" in site.asked[-1].body
    assert sent(site)[0].tag == "{urn:shop}Item"


async def test_credentials_of_the_bot_are_in_the_envelope(site: WebSite, make: Make, service: Any) -> None:
    config = {
        "soap-wsse-enabled": "true",
        "soap-wsse-username": "ann",
        "soap-wsse-password": "<pw>",
        "soap-api-key": "k",
    }
    await call(make(), world_of(config=config), service(), "GetPrice", ["Tea", 1])
    assert site.asked[-1].headers["x-api-key"] == "k"
    token = Safe.fromstring(site.asked[-1].body).find(".//{*}UsernameToken")
    assert token is not None
    assert [part.text for part in token] == ["ann", "<pw>"]
    for key, value in (("soap-client-cert", "x"), ("soap-verify-ssl", "false"), ("soap-oauth-enabled", "true")):
        with pytest.raises(ProgramError, match=f"not available on this installation: SOAP with {key}"):
            await call(make(), world_of(config={key: value}), service(), "GetPrice", [])


async def test_a_fault_is_an_error_that_can_be_caught(make: Make, service: Any) -> None:
    fault = f'<s:Fault xmlns:s="{ENVELOPE}"><faultcode>x</faultcode><faultstring>no tea</faultstring></s:Fault>'
    with pytest.raises(ProgramError, match="a fault: no tea"):
        await call(make(), world_of(), service(fault), "GetPrice", ["Tea", 1])


async def test_answers_that_are_no_envelope(site: WebSite, make: Make, service: Any) -> None:
    url = service()
    for kind, text, said in (
        ("text/plain", "oops", "without a SOAP envelope"),
        ("text/xml", "<html/>", "without a SOAP envelope"),
        ("text/xml", '<!DOCTYPE a [<!ENTITY a "b">]><a>&a;</a>', "how bombs are built"),
    ):
        site.pages["/shop"] = (kind, text)
        with pytest.raises(ProgramError, match=said):
            await call(make(), world_of(), url, "GetPrice", ["Tea", 1])


@pytest.mark.parametrize("name", ["a b", "a><x", "", "1a", 'a="b"', "s:Body"])
async def test_no_name_of_a_parameter_gets_out_of_its_element(
    site: WebSite, make: Make, service: Any, name: str
) -> None:
    with pytest.raises(ProgramError, match="cannot be the name"):
        await call(make(), world_of(), service(), "GetPrice", [{name: "x"}])
    assert {hit.path for hit in site.asked} == {"/shop.wsdl"}


def inside(host: str, port: int) -> Sequence[str]:
    if host == "inside.test":
        return ["10.0.0.1"]
    raise socket.gaierror


@pytest.mark.parametrize(
    "to", ["http://10.0.0.1/", "http://inside.test/", "file:///etc/passwd", "http://[::ffff:a00:1]/"]
)
async def test_neither_wsdl_nor_schema_nor_service_may_be_inside(make: Make, service: Any, to: str) -> None:
    types = REFERENCE.format("include", to)
    for url in (to, service(types=types), service(address=to)):
        with pytest.raises(ProgramError, match="the address is refused"):
            await call(make(lookup=inside), world_of(), url, "GetPrice", ["Tea", 1])


async def test_a_wsdl_that_refers_on_and_on_is_left(site: WebSite, make: Make) -> None:
    for number in range(20):
        text = (
            f'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"><import location="/w{number + 1}"/></definitions>'
        )
        site.pages[f"/w{number}"] = ("text/xml", text)
    with pytest.raises(ProgramError, match="more than 12 other documents"):
        await call(make(), world_of(), site.url("/w0"), "GetPrice", [])
    assert len(site.asked) == 12
