import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { Repository } from "../../src/registry/client/repository.ts";
import { mountBlob } from "../../src/registry/upload/start-upload.ts";
import { CANARIES, clientOf, written } from "../support/canaries.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

const auth = { scheme: "bearer", user: "ci", password: CANARIES.password } as const;

describe("A-18 the name of a mount's source", () => {
  test("A-18 goes to the registry that it belongs to, in the request and in the scopes, and nowhere else", async () => {
    const [own, other] = [await ScriptedRegistry.start({ auth }), await ScriptedRegistry.start({ auth })];
    const login = { username: "ci", password: CANARIES.password };
    const [client, stranger] = [await clientOf(own.host, login), await clientOf(other.host, login)];
    const digest = sha256(Buffer.from("blob")) as Digest;
    own.content.addBlob(Buffer.from("blob"));
    await mountBlob(new Repository(client, "team/app", "pull,push"), digest, "secret/base");
    const call = { verb: "push", what: "blob", repository: "team/app", actions: "pull,push" } as const;
    await stranger.call({ ...call, method: "HEAD", url: `/v2/team/app/blobs/${digest}`, accept: [200, 404] });
    expect(own.seen(/from=secret/)).not.toEqual([]);
    expect(decodeURIComponent(own.seen(/token/)[0]?.path ?? "")).toContain("repository:secret/base:pull");
    expect(decodeURIComponent(written(other.requests))).not.toContain("secret/base");
  });
});
