import { describe, expect, test } from "vitest";
import { html } from "../../../../src/serve/page/html/html.ts";
import { bar } from "../../../../src/serve/page/parts/bar.ts";
import { readInstruction } from "../../../../src/serve/page/parts/instruction.ts";
import { imageHref } from "../../../../src/serve/page/parts/links.ts";
import { bytes, many, numeral } from "../../../../src/serve/page/parts/quantity.ts";
import { styleElement } from "../../../../src/serve/page/parts/style-element.ts";
import { STYLESHEET } from "../../../../src/serve/page/style/stylesheet.ts";
import { send, start } from "../registry-client.ts";
import { HTML } from "./memory-served.ts";

describe("parts of pages", () => {
  test.each([
    ['/bin/sh -c #(nop)  CMD ["bash"]', "CMD", '["bash"]'],
    ["/bin/sh -c apt-get update", "RUN", "apt-get update"],
    ["|2 A=1 B=2 /bin/sh -c make", "RUN", "make"],
    ["RUN |1 A=1 /bin/sh -c make # buildkit", "RUN", "make"],
    ["RUN /bin/sh -c a\n\tb # buildkit", "RUN", "a b"],
    ["COPY a /b # buildkit", "COPY", "a /b"],
    [`/bin/sh -c #(nop) COPY file:${"0a".repeat(32)} in / `, "COPY", "file:0a0a0a0a0a0a\u2026 in /"],
    ["# debian.sh --arch 'amd64' out/", "", "# debian.sh --arch 'amd64' out/"],
    ["bazel build ...", "", "bazel build ..."],
    ["", "", ""],
  ])("the step %j is %s", (createdBy, verb, rest) => {
    expect(readInstruction(createdBy)).toEqual({ verb, rest });
  });

  test("numbers are in thousands, do not break, and have units", () => {
    expect([0, 999, 1000, 1234567].map(numeral)).toEqual(["0", "999", "1\u202f000", "1\u202f234\u202f567"]);
    expect([0, 1023, 1536].map(bytes)).toEqual(["0\u00a0bytes", "1\u202f023\u00a0bytes", "1.5\u00a0KiB"]);
    expect([many(1, "image"), many(2000, "image")]).toEqual(["1 image", "2\u202f000 images"]);
  });

  test("a bar never leaves its box, however many parts it has", () => {
    const parts = Array.from({ length: 300 }, () => ({ fill: "own" as const, share: 1 / 300 }));
    const places = [
      ...bar(8, parts)
        .toString()
        .matchAll(/x="([\d.]+)%" width="([\d.]+)%"/g),
    ];
    for (const [, x, width] of places) expect(Number(x) + Number(width)).toBeLessThanOrEqual(100.01);
    expect(bar(8, [{ fill: "own", share: 0 }], false).toString()).not.toContain("<rect");
  });

  test("names in links are encoded, and cannot leave the path", () => {
    expect(imageHref("a/b:1@sha256:c", { platform: "linux/amd64", in: undefined })).toBe(
      "/image/a/b:1@sha256:c?platform=linux%2Famd64",
    );
    expect(html`<a href="${imageHref('"><x?#')}">`.toString()).toBe('<a href="/image/%22%3E%3Cx%3F%23">');
  });

  test("the stylesheet is small, of our own, and cannot end its element", () => {
    expect(STYLESHEET.length).toBeLessThan(30_000);
    expect(STYLESHEET).not.toMatch(/url\(|@import|\/\*/);
    expect(() => styleElement("a</style>")).toThrow("Cannot write a style element");
  });
});

test("a server shows its page at /, and JSON to programs; the protocol stays what it is", async () => {
  const registry = await start();
  const page = await send(registry, "GET", "/", { headers: { accept: HTML } });
  expect([page.status, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.body.toString()).toContain("No images yet");
  const tag = page.headers.etag ?? "";
  const known = await send(registry, "GET", "/", { headers: { accept: HTML, "if-none-match": tag } });
  expect([known.status, known.body.length, known.headers["content-length"]]).toEqual([304, 0, undefined]);
  const head = await send(registry, "HEAD", "/", { headers: { accept: HTML } });
  expect([head.status, head.headers["content-length"], head.body.length]).toEqual([200, String(page.body.length), 0]);
  const json = await send(registry, "GET", "/index.json");
  expect(JSON.parse(json.body.toString())).toMatchObject({ images: [] });
  expect((await send(registry, "GET", "/favicon.ico")).status).toBe(204);
  const protocol = await send(registry, "GET", "/v2/", { headers: { accept: HTML } });
  expect(protocol.headers["content-security-policy"]).toBe("sandbox; default-src 'none'");
  expect(protocol.headers["content-type"]).toBe("application/json");
});
