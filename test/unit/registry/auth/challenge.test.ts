import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseChallenges } from "../../../../src/registry/auth/challenge.ts";

const HUB =
  'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/a:pull"';

describe("parseChallenges()", () => {
  test("parseChallenges() reads realm, service and scope of a Bearer challenge", () => {
    expect(parseChallenges([HUB])).toEqual([
      {
        scheme: "bearer",
        realm: "https://auth.docker.io/token",
        service: "registry.docker.io",
        scope: ["repository:library/a:pull"],
      },
    ]);
  });

  test("parseChallenges() keeps commas inside quotes in one value", () => {
    const [challenge] = parseChallenges([
      'Bearer realm="https://t/",scope="repository:a/b:pull,push",error="insufficient_scope"',
    ]);
    expect(challenge).toEqual({
      scheme: "bearer",
      realm: "https://t/",
      scope: ["repository:a/b:pull,push"],
      error: "insufficient_scope",
    });
  });

  test("parseChallenges() splits a blank-separated scope list", () => {
    const [challenge] = parseChallenges([
      'Bearer realm="https://t/",scope="repository:a:pull  repository:b:pull,push"',
    ]);
    expect(challenge).toMatchObject({ scope: ["repository:a:pull", "repository:b:pull,push"] });
  });

  test("parseChallenges() reads several challenges from one header and from several", () => {
    const basic = { scheme: "basic", realm: "Registry, main" };
    const bearer = { scheme: "bearer", realm: "https://t/token" };
    expect(parseChallenges(['Basic realm="Registry, main", Bearer realm="https://t/token"'])).toEqual([basic, bearer]);
    expect(parseChallenges(['BEARER realm="https://t/token"', 'basic Realm="Registry, main"'])).toEqual([
      bearer,
      basic,
    ]);
  });

  test("parseChallenges() undoes escapes in quoted values", () => {
    expect(parseChallenges(['Basic realm="say \\"hi\\" \\\\ bye"'])).toEqual([
      { scheme: "basic", realm: 'say "hi" \\ bye' },
    ]);
  });

  test("parseChallenges() takes unquoted values and blanks around the equals sign", () => {
    expect(parseChallenges(["Bearer realm = https://t/token?x=1 , service= reg"])).toEqual([
      { scheme: "bearer", realm: "https://t/token?x=1", service: "reg" },
    ]);
  });

  test("parseChallenges() takes Basic without a realm, but not Bearer", () => {
    expect(parseChallenges(["Basic"])).toEqual([{ scheme: "basic", realm: "" }]);
    expect(parseChallenges(["Bearer", 'Bearer service="x"', 'Bearer realm=""'])).toEqual([]);
  });

  test.each(["Negotiate YIIabc+/de==", "Negotiate abc==", 'Digest realm="x", nonce="a,b", qop="auth"', "NTLM"])(
    "parseChallenges() skips %s and reads what follows",
    other => {
      expect(parseChallenges([`${other}, Basic realm="r"`])).toContainEqual({ scheme: "basic", realm: "r" });
    },
  );

  test.each([
    ["an open quote", 'Bearer realm="https://t/'],
    ["an open escape", 'Bearer realm="https://t/\\'],
    ["a repeated parameter", 'Bearer realm="https://t/",realm="https://evil/"'],
    ["a control character", 'Bearer realm="https://t/\u0007"'],
    ["a non-ASCII character", 'Bearer realm="https://t/\u2028"'],
    ["a header above 32 KiB", `Bearer realm="https://t/${"a".repeat(32 * 1024)}"`],
    ["more than 64 scopes", `Bearer realm="https://t/",scope="${"repository:a:pull ".repeat(65)}"`],
    ["nothing", ""],
    ["punctuation", ',,= ="" ; ==,'],
  ])("parseChallenges() drops a challenge with %s", (_what, value) => {
    expect(parseChallenges([value])).toEqual([]);
  });

  test("parseChallenges() returns at most 16 challenges", () => {
    expect(parseChallenges([`Basic realm="a", `.repeat(100)])).toHaveLength(16);
    expect(parseChallenges(new Array<string>(100).fill("Basic"))).toHaveLength(16);
  });

  test("parseChallenges() never throws, and values are printable ASCII", () => {
    const piece = fc.constantFrom(
      "Bearer ",
      "Basic ",
      "realm=",
      '"',
      "\\",
      ",",
      "=",
      " ",
      "\t",
      "x",
      "https://t/",
      "\u0000",
      "é",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), pieces => {
        for (const challenge of parseChallenges([pieces.join("")])) {
          expect(challenge.realm).toMatch(/^[\x20-\x7e]*$/);
        }
      }),
    );
  });

  test("parseChallenges() reads back any quoted realm and service", () => {
    const text = fc.string({ unit: "grapheme-ascii", minLength: 1 });
    const quoted = (value: string): string => `"${value.replace(/["\\]/g, "\\$&")}"`;
    fc.assert(
      fc.property(text, text, (realm, service) => {
        const header = `Bearer realm=${quoted(realm)}, service=${quoted(service)}`;
        expect(parseChallenges([`Basic realm=${quoted(service)}, ${header}`])).toEqual([
          { scheme: "basic", realm: service },
          { scheme: "bearer", realm, service },
        ]);
      }),
    );
  });
});
