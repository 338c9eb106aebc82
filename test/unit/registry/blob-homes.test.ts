import { expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { BlobHomes } from "../../../src/registry/blob-homes.ts";
import type { RegistryClient } from "../../../src/registry/client/registry-client.ts";
import { Repository } from "../../../src/registry/client/repository.ts";

const client = {} as RegistryClient;
const other = {} as RegistryClient;
const [base, own] = [digestOf(Buffer.from("base")), digestOf(Buffer.from("own"))];

test("a blob has the repositories that named it, the first one first, and each once", () => {
  const homes = new BlobHomes();
  const [a, b, c] = [new Repository(client, "a"), new Repository(client, "b"), new Repository(other, "a")];
  homes.add(a, [base, own]);
  homes.add(b, [base]);
  homes.add(new Repository(client, "a"), [base, own]);
  homes.add(c, [base]);
  homes.add(new Repository(client, "b"), [base]);
  expect(homes.of(base)).toBe(a);
  expect(homes.all(base)).toEqual([a, b, c]);
  expect(homes.all(own)).toEqual([a]);
  expect(homes.all(digestOf(Buffer.from("unnamed")))).toEqual([]);
  expect(() => homes.of(digestOf(Buffer.from("unnamed")))).toThrow("no manifest named it");
});
