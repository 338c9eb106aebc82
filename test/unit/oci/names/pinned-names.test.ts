import { describe, expect, test } from "vitest";
import { entryNames, foldNames, tagOwners } from "../../../../src/oci/names/pinned-names.ts";

const A = `sha256:${"a".repeat(64)}` as const;
const B = `sha256:${"b".repeat(64)}` as const;

describe("tagOwners", () => {
  test("a name without a digest decides; a tag of several digests alone is no one's", () => {
    const one = { id: A, names: [`r/x:1@${A}`, `r/x:2@${A}`, `r/x:3@${A}`] };
    const two = { id: B, names: [`r/x:1@${B}`, `r/x:2@${B}`, "r/x:2", `r/x@${B}`] };
    const owners = [["r/x:1", undefined] as const, ["r/x:2", B] as const, ["r/x:3", A] as const];
    expect(new Map(tagOwners([one, two]))).toEqual(new Map(owners));
    expect(new Map(tagOwners([two, one]))).toEqual(new Map(owners));
  });
});

describe("entryNames and foldNames", () => {
  test.for<readonly [string, readonly string[], readonly string[]]>([
    ["a tag", ["r/x:1"], ["r/x:1 1"]],
    ["a digest", [`r/x@${A}`], [`r/x@${A} `]],
    ["both", [`r/x:1@${A}`], ["r/x:1 1", `r/x@${A} 1`]],
    ["both, with two tags", [`r/x:1@${A}`, `r/x:2@${A}`], ["r/x:1 1", "r/x:2 2", `r/x@${A} 1`, `r/x@${A} 2`]],
    ["a tag in another repository", ["r/y:1", `r/x@${A}`], [`r/x@${A} `, "r/y:1 1"]],
  ])("%s: back as it was", ([, names, expected]) => {
    const image = { id: A, names };
    const entries = entryNames(image, tagOwners([image]));
    expect(entries.map(({ name, tag = "" }) => `${name} ${tag}`)).toEqual(expected);
    const read = entries.map(({ name, tag }) =>
      name.includes("@") && tag !== undefined ? name.replace("@", `:${tag}@`) : name,
    );
    expect(foldNames(read).toSorted()).toEqual([...names].toSorted());
  });

  test("names that say the same are written once", () => {
    const image = { id: A, names: ["r/x:1", `r/x:1@${A}`, `r/x@${A}`] };
    expect(entryNames(image, tagOwners([image]))).toEqual([
      { name: "r/x:1", tag: "1" },
      { name: `r/x@${A}`, tag: "1" },
    ]);
    expect(foldNames(image.names)).toEqual([`r/x:1@${A}`]);
  });
});
