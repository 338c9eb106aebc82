import { expect, test } from "vitest";
import type { Root } from "../../../../src/content/contracts.ts";
import { digestOf } from "../../../../src/oci/digest.ts";
import { NameTable } from "../../../../src/serve/archives/name-table.ts";

function rootOf(name: string): Root {
  const descriptor = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: digestOf(Buffer.from(name)),
    size: 1,
  };
  return { kind: "settled", descriptor, names: [name] };
}

test("a full name means itself next to its own registry, and nothing next to another one", () => {
  const table = new NameTable(["docker.io/library/a:1", "reg.lan:5000/team/b:1"].map(rootOf));
  expect(table.find("docker.io/library/a", "docker.io")?.original).toBe("docker.io/library/a");
  expect(table.find("reg.lan_5000/team/b", "reg.lan:5000")?.original).toBe("reg.lan:5000/team/b");
  expect(table.find("reg.lan_5000/team/b", "docker.io")).toBeUndefined();
  expect(table.find("docker.io/library/a", "reg.lan:5000")).toBeUndefined();
});
