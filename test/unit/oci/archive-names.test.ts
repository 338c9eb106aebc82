import { expect, test } from "vitest";
import { archiveNames } from "../../../src/oci/archive-names.ts";

const D1 = `sha256:${"1".repeat(64)}`;

test.each([
  ["a short name", "hello", "docker.io/library/hello:latest"],
  ["a digest, without a tag", `foo/bar@${D1}`, `docker.io/foo/bar@${D1}`],
  ["a tag and a digest", `foo/bar:1@${D1}`, "docker.io/foo/bar:1"],
  ["an IPv6 registry", "[::1]:5000/app:1", "[::1]:5000/app:1"],
])("archiveNames() takes %s", (_what, text, name) => {
  expect(archiveNames([text, text])).toEqual({ names: [name], badNames: [] });
});

test.each([
  "<none>:<none>",
  "Foo/bar:1",
  "foo/bar:1+2",
  `foo/bar:${D1}`,
  D1,
  "",
  "a//b:1",
  "r.lan/app:\u202e1",
  "foo:1@2",
])("archiveNames() keeps %j as found, and as no name", text => {
  expect(archiveNames([text, "app:1", text])).toEqual({ names: ["docker.io/library/app:1"], badNames: [text] });
});
