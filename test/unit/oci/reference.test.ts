import { describe, expect, test } from "vitest";
import { BadReferenceError } from "../../../src/errors.ts";
import {
  familiarName,
  formatReference,
  fullImageName,
  isRepository,
  isTag,
  parseReference,
  registryHost,
  resolveDockerHub,
} from "../../../src/oci/reference.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}` as const;

function fault(text: string): BadReferenceError {
  try {
    parseReference(text);
  } catch (error) {
    if (error instanceof BadReferenceError) return error;
    throw error;
  }
  throw new Error(`accepted ${text}`);
}

describe("parseReference() reads", () => {
  test.each([
    ["hello", { repository: "hello" }],
    ["hello:latest", { repository: "hello", tag: "latest" }],
    ["team/app:1.4", { repository: "team/app", tag: "1.4" }],
    ["host:5000/x", { registry: "host:5000", repository: "x" }],
    ["registry.lan/a/b/c:t", { registry: "registry.lan", repository: "a/b/c", tag: "t" }],
    ["localhost/x", { registry: "localhost", repository: "x" }],
    ["localhost", { repository: "localhost" }],
    ["REGISTRY.Lan:443/x", { registry: "registry.lan:443", repository: "x" }],
    ["127.0.0.1:5000/x:1", { registry: "127.0.0.1:5000", repository: "x", tag: "1" }],
    ["[::1]:5000/x:1", { registry: "[::1]:5000", repository: "x", tag: "1" }],
    ["[2001:DB8::1]/x", { registry: "[2001:db8::1]", repository: "x" }],
    ["xn--bcher-kva.example/x", { registry: "xn--bcher-kva.example", repository: "x" }],
    ["hello.world", { repository: "hello.world" }],
    ["g/a-b__c.d_e---f", { repository: "g/a-b__c.d_e---f" }],
    [`hello@${DIGEST}`, { repository: "hello", digest: DIGEST }],
    [`r.lan/hello:1@${DIGEST}`, { registry: "r.lan", repository: "hello", tag: "1", digest: DIGEST }],
    ["x:_tag", { repository: "x", tag: "_tag" }],
    [`x:${"t".repeat(128)}`, { repository: "x", tag: "t".repeat(128) }],
    ["r".repeat(255), { repository: "r".repeat(255) }],
    ["host.lan:65535/x", { registry: "host.lan:65535", repository: "x" }],
  ])("%s", (text, expected) => {
    const reference = parseReference(text);
    expect(reference).toEqual(expected);
    expect(parseReference(formatReference(reference))).toEqual(reference);
  });
});

describe("parseReference() refuses", () => {
  test.each([
    // Registry
    "user@host.lan/x",
    "user:secret@host.lan/x",
    "https://host.lan/x",
    "docker://host.lan/x",
    "host.lan./x",
    ".host/x",
    "host..lan/x",
    "-host.lan/x",
    "host-.lan/x",
    "ho_st.lan/x",
    `${"h".repeat(64)}.lan/x`,
    `${"abcdefgh.".repeat(29)}lan/x`,
    "0x7f.1/x",
    "2130706433:5000/x",
    "0177.0.0.1/x",
    "1.2.3/x",
    "1.2.3.256/x",
    "1.2.3.4.5/x",
    "0x7f000001:80/x",
    "host.0x1/x",
    "[fe80::1%eth0]/x",
    "[::1/x",
    "[]/x",
    "[127.0.0.1]/x",
    "[::1]5000/x",
    "[::g]/x",
    "host.lan:/x",
    "host.lan:0/x",
    "host.lan:080/x",
    "host.lan:65536/x",
    "host.lan:5a/x",
    "host.lan:1:2/x",
    ":5000/x",
    "b%C3%BCcher.example/x",
    "bücher.example/x",
    "ｈost.lan/x",
    // Repository
    "Hello",
    "r.lan/Hello",
    "Team/app",
    "a//b",
    "/a",
    "a/",
    "r.lan/",
    "-a",
    "a-",
    "a.",
    "a..b",
    "a._b",
    "a___b",
    "a-_b",
    "a/../b",
    "a\\b",
    "a%2fb",
    "r".repeat(256),
    // Tag
    "x:",
    "x:.t",
    "x:-t",
    `x:${"t".repeat(129)}`,
    "x:a:b",
    "x:a/b",
    "x:té",
    "x:ta\u0301g",
    // Digest
    "x@",
    "x@sha256:",
    `x@${DIGEST.slice(0, -1)}`,
    `x@${DIGEST}0`,
    `x@${DIGEST.toUpperCase()}`,
    `x@sha256:${"A".repeat(64)}`,
    `x@md5:${"0".repeat(32)}`,
    `x@blake3:${"0".repeat(64)}`,
    `x@sha256+b64:${"0".repeat(64)}`,
    "x@sha256:../../x",
    `x@${DIGEST}@${DIGEST}`,
    `x@${DIGEST}:tag`,
    // Whole
    "",
    ":tag",
    `@${DIGEST}`,
    " x",
    "x ",
    "x\n",
    "x\r",
    "x\0",
    "x\u2028",
    "x\t",
    "x".repeat(1025),
  ])("%j", text => {
    const error = fault(text);
    expect(error.message).toMatch(/^Cannot read reference.*: found .+, expected .+[^.]$/);
    expect(error.message).not.toMatch(/\p{Cc}|\u2028/u);
  });
});

describe("parseReference() hints", () => {
  test.each([
    ["https://host.lan/x", /Leave out everything up to ":\/\/"/],
    ["r.lan/Hello", /lower case/],
    [`x@${DIGEST}:tag`, /The tag comes before the digest/],
    [`x@blake3:${"0".repeat(64)}`, /Only these two can be verified/],
    ["bücher.example/x", undefined],
    ["ho_st.lan/x", /xn--/],
    ["Hello world", undefined],
  ])("for %s", (text, hint) => {
    if (hint === undefined) expect(fault(text).hint).toBeUndefined();
    else expect(fault(text).hint).toMatch(hint);
  });

  test.each(["ci:hunter2@registry.lan/x", "https://ci:hunter2@registry.lan/x", "ci:hüter hunter2@registry.lan/x"])(
    "never show the password of %s",
    text => {
      expect(`${fault(text).message} ${fault(text).hint}`).not.toContain("hunter2");
    },
  );
});

test.each([
  ["hello", "docker.io/library/hello:latest"],
  ["hello:1", "docker.io/library/hello:1"],
  ["team/app", "docker.io/team/app:latest"],
  ["docker.io/hello:1", "docker.io/library/hello:1"],
  ["index.docker.io/library/hello:1", "docker.io/library/hello:1"],
  [`hello@${DIGEST}`, `docker.io/library/hello@${DIGEST}`],
  ["localhost/hello:1", "localhost/hello:1"],
  ["registry.lan:5000/hello", "registry.lan:5000/hello:latest"],
])("fullImageName(%s) is %s", (text, full) => {
  expect(fullImageName(text)).toBe(full);
  expect(formatReference(resolveDockerHub(parseReference(full)))).toBe(full);
});

test.each([
  ["docker.io/library/hello:1", "hello:1"],
  ["docker.io/team/app:1", "team/app:1"],
  ["docker.io/library/hello", "hello"],
  ["docker.io/library/a/b:1", "library/a/b:1"],
  ["registry.lan/hello:1", "registry.lan/hello:1"],
  ["docker.io/x.y/z:1", "docker.io/x.y/z:1"],
  ["docker.io/localhost/z:1", "docker.io/localhost/z:1"],
  ["docker.io/library/x.y:1", "x.y:1"],
])("familiarName(%s) is %s and means the same", (text, familiar) => {
  expect(familiarName(parseReference(text))).toBe(familiar);
  expect(fullImageName(familiar)).toBe(fullImageName(text));
});

test("registryHost() sends both names of Docker Hub to its API", () => {
  expect(["docker.io", "index.docker.io", "registry.lan:5000"].map(registryHost)).toEqual([
    "registry-1.docker.io",
    "registry-1.docker.io",
    "registry.lan:5000",
  ]);
});

test("isTag() and isRepository() follow the grammar", () => {
  expect(["latest", "_", "1.0-rc_1", "A"].every(isTag)).toBe(true);
  expect(["", ".a", "-a", "a/b", "a:b", "a b", "t".repeat(129)].some(isTag)).toBe(false);
  expect(["a", "a/b", "a--b", "0"].every(isRepository)).toBe(true);
  expect(["", "A", "a/", "a b", "_a"].some(isRepository)).toBe(false);
});
