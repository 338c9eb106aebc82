import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Refusal } from "../../../../src/serve/refusal.ts";
import { fetchPage, HTML, MemoryServed, memorySite } from "./memory-served.ts";

function oneImage(): MemoryServed {
  const registry = new MemoryServed();
  registry.image("registry.example/team/app", "1.0");
  return registry;
}

describe("answers outside of the protocol", () => {
  test.each([
    [HTML, "text/html; charset=utf-8"],
    ["text/html", "text/html; charset=utf-8"],
    ["TEXT/HTML;q=0.1, */*;q=0.01", "text/html; charset=utf-8"],
    ["application/json, text/html", "text/html; charset=utf-8"],
    ["application/json, text/html;q=0.5", "application/json"],
    ["*/*", "application/json"],
    ["text/html;q=0, */*", "application/json"],
    ["text/html;q=0.000", "application/json"],
    ["text/html;q=high", "application/json"],
    ["text/*", "application/json"],
    ["", "application/json"],
    ["text/html-not", "application/json"],
  ])("Accept %j gets %s, with the same status", async (accept, type) => {
    const site = memorySite(oneImage());
    for (const [url, status] of [
      ["/", 200],
      ["/image/registry.example/team/app:1.0", 200],
      ["/damage", 200],
      ["/image/registry.example/team/none:1.0", 404],
      ["/?page=9", 404],
    ] as const) {
      const answer = await fetchPage(site, url, { accept });
      expect([answer.status, answer.headers["content-type"]], url).toEqual([status, type]);
    }
  });

  test("the policy has the hash of the style that is sent, and the page has no other style, script or request", async () => {
    const site = memorySite(oneImage());
    for (const url of ["/", "/image/registry.example/team/app:1.0", "/damage", "/image/none", "/elsewhere"]) {
      const { text, headers } = await fetchPage(site, url);
      const [, style = "", ...more] = text.split(/<style>|<\/style>/);
      expect(more).toHaveLength(1);
      const hash = createHash("sha256").update(style).digest("base64");
      expect(headers["content-security-policy"]).toBe(
        `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      );
      expect(text).not.toMatch(/<script|\sstyle=|<link|<img|<iframe|\son\w+=|javascript:|url\((?!#)/i);
      expect(text.match(/(?:href|action)="(?!\/(?!\/)|#)/g)).toBeNull();
    }
  });

  test("each answer forbids sniffing, referrers and use by other origins", async () => {
    const site = memorySite(oneImage());
    for (const url of ["/", "/damage", "/image/none", "/index.json", "/favicon.ico"]) {
      const { headers } = await fetchPage(site, url);
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        vary: "Accept, Accept-Encoding",
      });
    }
  });

  test("a page that is known is 304, and is sent again after a push and after damage", async () => {
    const registry = oneImage();
    const site = memorySite(registry);
    const first = await fetchPage(site, "/");
    const tag = first.headers["etag"] ?? "";
    expect(first.headers["cache-control"]).toBe("no-cache");
    const again = { headers: { "if-none-match": `"other", W/${tag}` } };
    expect(await fetchPage(site, "/", again)).toMatchObject({ status: 304, text: "" });
    registry.image("registry.example/team/app", "1.1");
    const second = await fetchPage(site, "/", again);
    expect(second.status).toBe(200);
    expect(second.headers["etag"]).not.toBe(tag);
    registry.damage.push({ digest: registry.layer("x", 1).digest, path: "a.tar", found: "something else" });
    registry.generation += 1;
    const third = await fetchPage(site, "/", { headers: { "if-none-match": second.headers["etag"] ?? "" } });
    expect(third.status).toBe(200);
  });

  test("entity tags differ between pages, forms, hosts, codings and starts of the server", async () => {
    const registry = oneImage();
    const site = memorySite(registry);
    const answers = await Promise.all([
      fetchPage(site, "/"),
      fetchPage(site, "/?q=app"),
      fetchPage(site, "/", { accept: "*/*" }),
      fetchPage(site, "/", { host: "other.lan:5000" }),
      fetchPage(site, "/", { headers: { "accept-encoding": "gzip" } }),
      fetchPage(memorySite(registry), "/"),
    ]);
    expect(new Set(answers.map(({ headers }) => headers["etag"])).size).toBe(answers.length);
  });

  test("what changes by itself and what does not exist is not kept; logins keep pages from shared caches", async () => {
    const site = memorySite(oneImage(), { isPrivate: true });
    for (const url of ["/damage", "/image/none", "/?page=2"]) {
      const { headers } = await fetchPage(site, url);
      expect([headers["cache-control"], headers["etag"]]).toEqual(["no-store", undefined]);
    }
    expect((await fetchPage(site, "/")).headers["cache-control"]).toBe("private, no-cache");
  });

  test.each([
    ["gzip", true],
    ["br, gzip;q=0.5", true],
    ["*", true],
    ["gzip;q=0", false],
    ["identity", false],
  ])("Accept-Encoding %j: compressed %s", async (coding, isGzip) => {
    const site = memorySite(oneImage());
    const plain = await fetchPage(site, "/");
    const { headers, text } = await fetchPage(site, "/", { headers: { "accept-encoding": coding } });
    expect(headers["content-encoding"]).toBe(isGzip ? "gzip" : undefined);
    expect(text).toBe(plain.text);
  });

  test("only GET and HEAD have a meaning; a program gets JSON, a person a page", async () => {
    const site = memorySite(oneImage());
    const page = await fetchPage(site, "/", { method: "POST" });
    expect([page.status, page.headers["allow"]]).toEqual([405, "GET, HEAD"]);
    expect(page.text).toContain("<h1>");
    await expect(fetchPage(site, "/", { method: "PUT", accept: "*/*" })).rejects.toThrow(Refusal);
    expect((await fetchPage(site, "/", { method: "HEAD" })).status).toBe(200);
  });

  test.each([
    ["/image/%E0%A4%A", 400],
    ["/%00", 404],
    ["/image", 404],
    ["/image/", 404],
    ["/damage/x", 404],
    ["//example.org/", 404],
    ["/v3/", 404],
    [`/image/${"a".repeat(5000)}`, 414],
    ["/image/%3Cscript%3Ealert(1)%3C/script%3E", 404],
    ["/image/..%2f..%2fetc%2fpasswd", 404],
    ["/index.json?page=x&unknown=1", 200],
  ])("%s is %d", async (url, status) => {
    const { text, ...answer } = await fetchPage(memorySite(oneImage()), url);
    expect(answer.status).toBe(status);
    expect(text).not.toContain("<script");
  });
});
