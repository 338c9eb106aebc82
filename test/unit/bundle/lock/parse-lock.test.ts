import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { formatLock, lockOf, MAX_REPOSITORIES } from "../../../../src/bundle/lock/format-lock.ts";
import type { LockContents } from "../../../../src/bundle/lock/lock.ts";
import { isLock, parseLock } from "../../../../src/bundle/lock/parse-lock.ts";
import { UsageError } from "../../../../src/errors.ts";
import type { Digest } from "../../../../src/oci/digest.ts";
import { shortId } from "../../../../src/util/format.ts";

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;

const CONTENTS: LockContents = {
  platforms: ["linux/arm64", "linux/amd64"],
  sparse: "keep",
  referrers: true,
  images: [
    {
      name: "quay.io/org/app:2",
      digest: digest("b"),
      manifests: [digest("c"), digest("b")],
      absent: ["windows(10.0.20348.1)/amd64"],
      referrers: [{ digest: digest("d"), tag: `sha256-${"b".repeat(64)}.sig` }],
      lookup: "complete",
    },
    { name: "docker.io/library/nginx:1.27", digest: digest("a"), manifests: [digest("a")], absent: [], referrers: [] },
  ],
  left: [{ name: "quay.io/x:1", why: "not found" }],
  blobs: [
    { digest: digest("b"), size: 700, kind: "manifest", repositories: ["quay.io/org/app"] },
    { digest: digest("1"), size: 31337, kind: "layer", repositories: ["quay.io/org/app", "docker.io/library/nginx"] },
  ],
};
const TEXT = formatLock(CONTENTS);

/** As a lock has them. */
function sorted(contents: LockContents): LockContents {
  const { id: _, ...rest } = lockOf(contents);
  return rest;
}

function parse(text: string): ReturnType<typeof parseLock> {
  return parseLock(Buffer.from(text), { where: '"site.lock"' });
}

test("a lock has one image or blob per line, sorted, and nothing of the machine or the time", () => {
  const id = `sha256:${createHash("sha256")
    .update(TEXT.replace(/"id":"[^"]*",/, ""))
    .digest("hex")}`;
  expect(TEXT).toBe(
    `{"format":"imgpack-lock","version":1,"id":"${id}",
"platforms":["linux/amd64","linux/arm64"],"sparse":"keep","referrers":true,
"images":[
{"name":"docker.io/library/nginx:1.27","digest":"${digest("a")}","manifests":["${digest("a")}"]},
{"name":"quay.io/org/app:2","digest":"${digest("b")}","manifests":["${digest("b")}","${digest("c")}"],` +
      `"absent":["windows(10.0.20348.1)/amd64"],"referrers":[{"digest":"${digest("d")}","tag":"sha256-${"b".repeat(64)}.sig"}],"lookup":"complete"}],
"left":[
{"name":"quay.io/x:1","why":"not found"}],
"blobs":[
["${digest("1")}",31337,"layer",["docker.io/library/nginx","quay.io/org/app"]],
["${digest("b")}",700,"manifest",["quay.io/org/app"]]]}
`,
  );
  expect(shortId(lockOf(CONTENTS).id)).toBe(id.slice(7, 19));
});

test("a lock that was reformatted, or checked out with CRLF and a byte order mark, is the same lock", () => {
  const expected = lockOf(CONTENTS);
  expect(parse(TEXT)).toEqual(expected);
  expect(parse(`\uFEFF${TEXT.replaceAll("\n", "\r\n")}`)).toEqual(expected);
  expect(parse(JSON.stringify(JSON.parse(TEXT), undefined, 2))).toEqual(expected);
});

test("a lock names at most 16 repositories of a blob, the same ones in any order", () => {
  const repositories = Array.from({ length: 40 }, (_, index) => `r.lan/app${index}`);
  const withThem = (list: readonly string[]): LockContents => ({
    ...CONTENTS,
    blobs: [{ digest: digest("1"), size: 1, kind: "layer", repositories: list }],
  });
  const text = formatLock(withThem(repositories));
  expect(formatLock(withThem(repositories.toReversed()))).toBe(text);
  expect(parse(text).blobs[0]?.repositories).toHaveLength(MAX_REPOSITORIES);
});

describe("a lock that cannot be used says why", () => {
  const cases: readonly (readonly [string, string, RegExp, string | undefined])[] = [
    ["an edited digest", TEXT.replaceAll(digest("a"), digest("f")), /its contents have the id sha256:/, "edited"],
    ["an edited size", TEXT.replace("31337", "31338"), /its contents have the id sha256:/, "edited"],
    ["a removed image", TEXT.replace(/\{"name":"docker[^\n]*\n/, ""), /its contents have the id sha256:/, "edited"],
    ["an edited id", TEXT.replace(/("id":"sha256:).{4}/, "$10000"), /its contents have the id sha256:/, "edited"],
    ["a newer version", TEXT.replace('"version":1', '"version":2'), /found version 2, expected 1/, "newer"],
    [
      "a newer field",
      TEXT.replace('"sparse"', '"magic":1,"sparse"'),
      /found a number at "\/magic", expected only/,
      "newer",
    ],
    ["a newer field of an image", TEXT.replace('"manifests"', '"more":[],"manifests"'), /"\/images\/0\/more"/, "newer"],
    ["a field in another case", TEXT.replace('"sparse"', '"Sparse":"keep","sparse"'), /other readers take/, undefined],
    ["a field twice", TEXT.replace('"sparse"', '"sparse":"keep","sparse"'), /the same key twice/, undefined],
    ["a name without a registry", TEXT.replace("quay.io/org/app:2", "app:2"), /"\/images\/1\/name"/, undefined],
    ["a name with an escape", TEXT.replace("quay.io/x:1", "quay.io/x\\u001b[31m:1"), /printable/, undefined],
    ["a repository that is a path", TEXT.replace('["quay.io/org/app"]', '["../../etc"]'), /"\/blobs\/1"/, undefined],
    ["another kind of blob", TEXT.replace('"layer"', '"lair"'), /"\/blobs\/0"/, undefined],
    ["a negative size", TEXT.replace("31337", "-1"), /"\/blobs\/0"/, undefined],
    ["a digest that is too short", TEXT.replace(digest("a"), "sha256:aa"), /64 hex digits/, undefined],
    ["the end cut off", TEXT.slice(0, -30), /the end of the text/, undefined],
  ];
  test.each(cases)("%s", (_, text, message, hint) => {
    expect(text).not.toBe(TEXT);
    const error = caught(() => parse(text));
    expect(error.message).toMatch(message);
    expect(error.message).toContain('from "site.lock"');
    if (hint !== undefined) expect(String(error.hint)).toContain(hint);
    else expect(error.hint).toBeUndefined();
  });

  test("the same image twice", () => {
    const [first] = CONTENTS.images;
    const twice = formatLock({ ...CONTENTS, images: [...CONTENTS.images, ...(first === undefined ? [] : [first])] });
    expect(caught(() => parse(twice)).message).toContain('found "quay.io/org/app:2" twice');
  });

  test("as the error that the caller wants", () => {
    const fail = (reason: string, message: string, hint?: string): Error =>
      new UsageError(`${reason}: ${message}`, { hint });
    const read = (): unknown => parseLock(Buffer.from(TEXT.replace("31337", "1")), { where: "x", fail });
    expect(caught(read)).toMatchObject({ code: "ERR_USAGE", message: expect.stringMatching(/^lock-edited: /) });
  });
});

describe("the set of a volume is checked by itself, because the id does not cover it", () => {
  const set = { id: digest("e"), number: 1, of: 2, where: [1, [1, 2]] };
  test.each<[string, Partial<typeof set>, RegExp]>([
    ["a number after the last", { number: 3 }, /volume 3 of 2/],
    ["a number 0", { number: 0 }, /a number from 1 to 9999/],
    ["a blob behind the last volume", { where: [1, [2, 3]] }, /in volume 3 of 2/],
  ])("%s", (_, change, message) => {
    expect(caught(() => parse(formatLock({ ...CONTENTS, set: { ...set, ...change } }))).message).toMatch(message);
  });
  test("a blob without a place", () => {
    const text = formatLock({ ...CONTENTS, set }).replace("[[1,2],1]", "[1]");
    expect(caught(() => parse(text)).message).toMatch(/places 1 blobs, expected 2/);
  });
  test("a blob with one part", () => {
    const text = formatLock({ ...CONTENTS, set: { ...set, where: [1, [2]] } });
    expect(caught(() => parse(text)).message).toMatch(/a list of at least two/);
  });
});

describe("what images need is checked by itself, because the id does not cover it", () => {
  const needs = [[], [0]];
  const text = formatLock({ ...sorted(CONTENTS), needs });

  test("it is read, and the lock has the same id with it", () => {
    expect(parse(text)).toEqual({ ...parse(TEXT), needs });
  });
  test.each<[string, readonly (readonly number[])[], RegExp]>([
    ["an image too few", [[]], /the needs of 1 images, expected 2/],
    ["an image too many", [[], [0], []], /the needs of 3 images, expected 2/],
    ["a blob that it does not have", [[], [2]], /an image needs blob 2 of it, expected one below 2/],
    ["a negative index", [[], [-1]], /a list of indexes of blobs/],
    ["half a blob", [[], [0.5]], /a list of indexes of blobs/],
  ])("%s", (_, wrong, message) => {
    expect(caught(() => parse(formatLock({ ...sorted(CONTENTS), needs: wrong }))).message).toMatch(message);
  });
  test("where the rows have another order, it is left out", () => {
    const rows = text.split("\n");
    const [first = -1, second = -1] = [1, 2].map(layer =>
      rows.findIndex(row => row.startsWith(`["${["", digest("1"), digest("b")][layer]}`)),
    );
    const swapped = rows.with(first, `${(rows[second] ?? "").replace("]],", "]").replace(/\]\]\]$/, "]]")},`);
    swapped[second] = `${(rows[first] ?? "").replace(/,$/, "")}],`;
    const other = swapped.join("\n");
    expect(other).not.toBe(text);
    expect(parse(other)).toEqual(parse(TEXT));
  });
});

test("a blob that is both carried and assumed is refused", () => {
  const assumes = [{ digest: digest("1"), size: 31337, repositories: [] }];
  expect(caught(() => parse(formatLock({ ...CONTENTS, assumes }))).message).toContain("twice, expected it once");
});

test("isLock() knows a lock by its first bytes", () => {
  expect(isLock(Buffer.from(TEXT))).toBe(true);
  expect(isLock(Buffer.from(`\uFEFF${JSON.stringify(JSON.parse(TEXT), undefined, 2)}`))).toBe(true);
  for (const other of [
    '{"formatVersion":1,"roots":[]}',
    "",
    "docker.io/library/nginx:1.27",
    '{"format":"imgpack-need"}',
  ])
    expect(isLock(Buffer.from(other))).toBe(false);
});

function caught(task: () => unknown): { readonly message: string; readonly hint?: string } {
  try {
    task();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("no error");
}
