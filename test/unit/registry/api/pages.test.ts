import { describe, expect, test } from "vitest";
import { nextPageUrl } from "../../../../src/registry/api/pages.ts";
import { cpuMs } from "../../../support/cpu-time.ts";

const PAGE = new URL("https://registry.lan/v2/app/tags/list?n=2");

function next(...link: readonly string[]): string | undefined {
  return nextPageUrl({ link }, PAGE)?.href;
}

describe("nextPageUrl()", () => {
  test.each([
    ['</v2/app/tags/list?last=b&n=2>; rel="next"', "https://registry.lan/v2/app/tags/list?last=b&n=2"],
    [
      "</v2/app/tags/list?next_page=a%2Bb%3D%3D>; rel=next",
      "https://registry.lan/v2/app/tags/list?next_page=a%2Bb%3D%3D",
    ],
    ['<https://registry.lan:443/x>;title="a";rel="prev next"', "https://registry.lan/x"],
    ['<?last=b>; REL = "next"', "https://registry.lan/v2/app/tags/list?last=b"],
    ['</first>; rel="first", </n?a=1,2>; rel="next"', "https://registry.lan/n?a=1,2"],
  ])("nextPageUrl() reads %s", (header, url) => {
    expect(next(header)).toBe(url);
  });

  test("nextPageUrl() reads several headers, and knows none where there is none", () => {
    expect(next('</a>; rel="first"', '</b>; rel="next"')).toBe("https://registry.lan/b");
    for (const header of [
      '</a>; rel="prev"',
      '</a>; title="next"',
      "</a>",
      'rel="next"',
      '</a>; rel="nextish"',
      "",
      "<<<>",
    ]) {
      expect(next(header)).toBeUndefined();
    }
    expect(nextPageUrl({}, PAGE)).toBeUndefined();
  });

  test.each([
    "https://evil.example/v2/app/tags/list",
    "http://registry.lan/v2/app/tags/list",
    "https://registry.lan:8443/x",
    "//evil.example/x",
    "https://registry.lan@evil.example/x",
    "https:\\\\evil.example/x",
    "javascript:alert(1)",
    "/a\tb",
  ])("A-06 nextPageUrl() refuses %j", target => {
    expect(() => next(`<${target}>; rel="next"`)).toThrow(/^Cannot follow (?:page link|location) /);
  });

  test("A-06 nextPageUrl() shows no query of a refused link: it may be a capability", () => {
    expect(() => next('<https://evil.example/x?token=canary>; rel="next"')).toThrow(/^(?!.*canary)/s);
  });

  test("nextPageUrl() takes time linear in the header", () => {
    const headers = ["<".repeat(200_000), ';rel="'.repeat(2_000), `</a>${"; rel".repeat(40_000)}`];
    expect(cpuMs(() => void next(...headers))).toBeLessThan(1000);
  });
});
