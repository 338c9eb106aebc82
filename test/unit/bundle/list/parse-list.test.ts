import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeText } from "../../../../src/bundle/list/decode-text.ts";
import { parseList } from "../../../../src/bundle/list/parse-list.ts";

const PINNED = `registry.lan/x@sha256:${"a".repeat(64)}`;

function read(text: string): readonly (readonly [string, ...unknown[]])[] {
  const { references, refused } = parseList(text, "list.txt");
  expect(refused).toEqual([]);
  return references.map(({ reference, platforms, name }) => {
    const more = [platforms?.join(","), name];
    return name !== undefined ? [reference, ...more] : platforms !== undefined ? [reference, more[0]] : [reference];
  });
}

describe("a list of references", () => {
  test.each([
    ["nginx:1.27", [["nginx:1.27"]]],
    ["\uFEFFnginx:1.27\r\n\r\n  redis:7 \t\r\n", [["nginx:1.27"], ["redis:7"]]],
    ["# all of it\nnginx:1.27 # the proxy\n\t# no\nredis:7\t#yes", [["nginx:1.27"], ["redis:7"]]],
    ["docker://nginx:1.27\noci://r.lan/a:1", [["nginx:1.27"], ["r.lan/a:1"]]],
    ["r.lan/a:1 linux/amd64", [["r.lan/a:1", "linux/amd64"]]],
    ["r.lan/a:1\tlinux/amd64,windows(10.0.17763)/amd64", [["r.lan/a:1", "linux/amd64,windows(10.0.17763)/amd64"]]],
    ["r.lan/a:1 all", [["r.lan/a:1", "all"]]],
    ["r.lan/a:1 -> b:2", [["r.lan/a:1", undefined, "b:2"]]],
    ["r.lan/a:1 linux/arm/v7 -> docker://r.lan/b", [["r.lan/a:1", "linux/arm/v7", "r.lan/b"]]],
    [`${PINNED} -> ${PINNED.replace("/x", "/y")}`, [[PINNED, undefined, PINNED.replace("/x", "/y")]]],
    ["r.lan/a:1.*\nr.lan/team/*\nr.lan/**:v?", [["r.lan/a:1.*"], ["r.lan/team/*"], ["r.lan/**:v?"]]],
    [
      "v1://old:5000/Team/App:1 # old\nv1://old/**\nv1+dir:/srv/v1//a/b",
      [["v1://old:5000/Team/App:1"], ["v1://old/**"], ["v1+dir:/srv/v1//a/b"]],
    ],
    ["v1://old/app:1.* -> r.lan/app", [["v1://old/app:1.*", undefined, "r.lan/app"]]],
    ["trailing.lan/blank:1\u00a0", [["trailing.lan/blank:1"]]],
  ])("%j", (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test("hangar's columns and oc-mirror's pairs rename", () => {
    expect(read("docker.io/library/nginx  r.lan/mirror/nginx\t1.27")).toEqual([
      ["docker.io/library/nginx:1.27", undefined, "r.lan/mirror/nginx:1.27"],
    ]);
    expect(read(`${PINNED}=r.lan/mirror/x:abc`)).toEqual([[PINNED, undefined, "r.lan/mirror/x:abc"]]);
  });

  test("what lock --list writes is a list", () => {
    const text =
      "r.lan/a:1 linux/amd64 -> b:1\tcertain\ta b#c.yaml:3\n# r.lan/b:1\tlikely\tx:1\nr.lan/c:1\tlikely\tx:2";
    expect(read(text)).toEqual([["r.lan/a:1", "linux/amd64", "b:1"], ["r.lan/c:1"]]);
  });

  test("UTF-16, as PowerShell writes it", () => {
    const text = "nginx:1.27\r\nredis:7\r\n";
    const little = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);
    const big = Buffer.from(little).swap16();
    for (const bytes of [little, big]) expect(read(decodeText(bytes))).toEqual([["nginx:1.27"], ["redis:7"]]);
  });
});

describe("a bad line", () => {
  test.each([
    [
      "Nginx:1",
      'found a bad repository, expected lower-case letters and digits, separated by ".", "_", "__", hyphens or "/", at most 255',
    ],
    ["nginx:1 linux", 'found "linux" after the reference, expected a platform such as linux/amd64, or "-> NAME"'],
    [
      "nginx:1 linux/amd64, linux/arm64",
      'found "linux/amd64, linux/arm64" after the reference, expected REFERENCE [OS/ARCH[,…]] [-> NAME]',
    ],
    ["nginx:1 all,linux/amd64", 'found "all" next to other platforms, expected it alone'],
    ["nginx:1 ->", 'found no name after "->", expected one name'],
    ["nginx:1 -> a b", 'found 2 words after "->", expected one name'],
    ["-> a:1", "found no reference, expected REFERENCE [OS/ARCH[,…]] [-> NAME]"],
    ["nginx:1 -> A", /^the name after it has a fault: found a bad repository/],
    ["nginx:1 -> a:*", 'found a wildcard in the name "a:*", expected none'],
    ["r.lan/a:1.* -> b:1", 'found one name with a tag for all that match "r.lan/a:1.*", expected a name without a tag'],
    [`nginx:1 -> ${PINNED}`, /^found the name ".*" with another digest than its image, expected the same or none$/],
    ["nginx:1=r.lan/b:1=c", /^the name after it has a fault: found a bad tag/],
    ["docker.io/nginx:1 r.lan/nginx 1", 'found a tag in "docker.io/nginx:1", expected it in the third column alone'],
    ["team/*", "found a wildcard without a registry, expected one"],
    ["r.*/a:1", "found a wildcard in the registry, expected none"],
    [`${PINNED.replace("/x", "/*")}`, "found a wildcard in a reference with a digest, expected none"],
    ["a\u0000b:1", "found a blank, control or non-ASCII character, expected printable ASCII"],
    ["nginx:\u001b[31m1", "found a blank, control or non-ASCII character, expected printable ASCII"],
    ["{{ .Values.image }}", 'found "{{" where a reference belongs, expected one'],
    ["v1://old/a:1 linux/amd64", 'found "linux/amd64" after the v1 reference, expected nothing or "-> NAME"'],
    ["v1://old/** -> b", 'found one name for all repositories that match "v1://old/**", expected none'],
    [
      "v1://old/a:* -> b:1",
      'found one name with a tag for all that match "v1://old/a:*", expected a name without a tag',
    ],
    [`v1://old/a@sha256:${"a".repeat(64)}`, "found a digest, expected a tag or none"],
    ["http://r.lan/a:1", "found a URL, expected a name without a scheme"],
  ])("%j", (text, why) => {
    const { references, refused } = parseList(`\r\n${text}\r\nok:1\n`, "list.txt");
    expect(references.map(({ reference }) => reference)).toEqual(["ok:1"]);
    expect(refused).toEqual([
      { file: "list.txt", line: 2, text, why: typeof why === "string" ? why : expect.stringMatching(why) },
    ]);
  });

  test("of any length takes little memory", () => {
    const { refused } = parseList(`a:1 ${"-> ".repeat(1_000_000)}`, "f");
    expect(refused).toMatchObject([{ line: 1, why: "found 3000003 characters in one line, expected at most 16384" }]);
    expect(refused[0]?.text.length).toBeLessThan(300);
  });

  test("does not repeat a password", () => {
    const { refused } = parseList("me:secret@r.lan/a:1", "list.txt");
    expect(refused).toMatchObject([
      { text: "…@r.lan/a:1", why: 'found user information, expected a digest after "@"' },
    ]);
    expect(JSON.stringify(refused)).not.toContain("secret");
    expect(JSON.stringify(parseList("v1://me:secret@old/a:1", "list.txt").refused)).not.toContain("secret");
  });
});

test("a file of another kind is refused after 1,000 lines, and one of more than 100,000 references", () => {
  expect(parseList("A\n".repeat(5000), "f").refused).toHaveLength(1000);
  const { refused } = parseList("a:1\n".repeat(100_002), "f");
  expect(refused).toEqual([
    { file: "f", line: 100_001, text: "", why: "found more than 100000 references, expected fewer" },
  ]);
});

test("any text gives references and refused lines with the numbers of their lines, and never throws", () => {
  const good = fc.constantFrom("nginx:1", "r.lan/a:1 linux/amd64", "r.lan/b -> c", "# no", "", "r.lan/*:1\t# x");
  const piece = fc.string({
    unit: fc.constantFrom(..."ab:/@*?->= \t#,{}\u0000\u001b\uFEFF\u2028.".split("")),
    maxLength: 30,
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(good, piece, fc.string({ unit: "binary" })), { maxLength: 6 }), lines => {
      const clean = lines.map(line => line.replaceAll(/[\r\n]/g, ""));
      const { references, refused } = parseList(clean.join("\n"), "f");
      for (const { line, reference } of references) {
        expect(clean[line - 1]?.toLowerCase()).toContain(reference.split(":")[0]?.toLowerCase());
      }
      const numbers = [...references, ...refused].map(({ line }) => line);
      expect(new Set(numbers).size).toBe(numbers.length);
      // Each line alone has the same meaning.
      for (const [index, line] of clean.entries()) {
        const alone = parseList(index === 0 ? line : ` ${line}`, "f");
        expect(alone.refused.length + alone.references.length).toBe(numbers.includes(index + 1) ? 1 : 0);
      }
    }),
  );
});
