import { expect, test } from "vitest";
import { rawMembers } from "../../../../src/util/json/raw-members.ts";

test("rawMembers() splits an object without touching its values", () => {
  expect([...rawMembers('{"a" : {"b": [1.0, "}\\"{"]},\n"c":"x , y" , "\\u0064":null}')]).toEqual([
    ["a", '{"b":[1.0,"}\\"{"]}'],
    ["c", '"x , y"'],
    ["d", "null"],
  ]);
  expect([...rawMembers("{ }")]).toEqual([]);
  expect([...rawMembers('{"a":"\\\\"}')]).toEqual([["a", '"\\\\"']]);
});
