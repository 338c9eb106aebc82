import { describe, expect, test } from "vitest";
import { tokenScopes } from "../../../../src/registry/auth/scope.ts";

const place = { repository: "team/app" } as const;

describe("tokenScopes()", () => {
  test("never asks to delete for a push, whatever the challenge names", () => {
    expect(tokenScopes({ ...place, actions: "pull,push" }, ["repository:team/app:pull,push,delete"])).toEqual([
      "repository:team/app:pull,push",
    ]);
  });

  test("asks to delete for a deletion, also under the name that the challenge gives the repository", () => {
    expect(tokenScopes({ ...place, actions: "pull,push,delete" }, ["repository:tenant/team/app:delete,*"])).toEqual([
      "repository:team/app:pull,push,delete",
      "repository:tenant/team/app:delete",
    ]);
  });

  test("adds the repository that a mount reads from, for pulling", () => {
    expect(tokenScopes({ ...place, actions: "pull,push", mountFrom: "base/os" })).toEqual([
      "repository:base/os:pull",
      "repository:team/app:pull,push",
    ]);
  });

  test("takes only what the challenge names where there is no repository", () => {
    const challenged = ["registry:catalog:*", "repository:x:pull", "registry:catalog:*\r\nx"];
    expect(tokenScopes({ repository: "", actions: "pull" }, challenged)).toEqual(["registry:catalog:*"]);
  });
});
