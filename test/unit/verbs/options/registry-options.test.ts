import { describe, expect, test } from "vitest";
import { UsageError } from "../../../../src/errors.ts";
import { digest, tags } from "../../../../src/index.ts";
import { type RegistryOptions, registryOptions } from "../../../../src/verbs/options/registry-options.ts";
import { PushNames } from "../../../../src/verbs/shared/push-names.ts";
import {
  readableReference,
  repositoryReference,
  writableReference,
} from "../../../../src/verbs/shared/remote-image.ts";
import { startListed } from "../query/listed-registry.ts";

describe("registryOptions()", () => {
  test("registryOptions() takes a string for a host", () => {
    expect(registryOptions("r.lan:5000")).toEqual({ host: "r.lan:5000" });
    expect(registryOptions(undefined)).toEqual({});
  });

  test.each<[string | RegistryOptions]>([["r.lan"], [{ host: "r.lan" }], [{ host: "r.lan", defaultHost: "d.lan" }]])(
    "every function that takes names treats %j alike",
    registry => {
      expect(readableReference("app:1", registry)).toMatchObject({ registry: "r.lan", repository: "app" });
      expect(writableReference("tag", "app:1", registry)).toMatchObject({ registry: "r.lan", repository: "app" });
      expect(new PushNames({ registry }).fromArchive("quay.io/team/app:1")).toEqual({
        registry: "r.lan",
        repository: "team/app",
        tag: "1",
      });
    },
  );

  test("a string and an object reach the same registry", async () => {
    const listed = await startListed(["1", "2"]);
    const { host } = listed;
    const asObject = await tags("app", { registry: { host } });
    expect(await tags("app", { registry: host })).toEqual(asObject);
    expect(asObject.repository).toBe(`${host}/app`);
  });

  test("a default host is for names that are read and names that are written alike, and an empty one is none", () => {
    const registry = { defaultHost: "d.lan" };
    expect(readableReference("app:1", registry).registry).toBe("d.lan");
    expect(readableReference("localhost/app:1", registry).registry).toBe("localhost");
    expect(repositoryReference("team/app", registry).registry).toBe("d.lan");
    expect(readableReference("app:1", { defaultHost: "" }).registry).toBe("docker.io");
    expect(writableReference("tag", "app:1", registry).registry).toBe("d.lan");
    expect(() => writableReference("tag", "app:1", { defaultHost: "" })).toThrow(UsageError);
  });

  test.each<[unknown, string]>([
    [5, "option registry: found 5, expected HOST[:PORT] or an object"],
    [["r.lan"], "option registry: found an array, expected HOST[:PORT] or an object"],
    [{ host: 5 }, "option registry.host: found 5, expected a string"],
    [{ defaultHost: {} }, "option registry.defaultHost: found an object, expected a string"],
    [{ retry: { count: -1 } }, "option registry.retry.count: found -1, expected a whole number from 0 to 100"],
    [
      { retry: { timeoutMs: 0 } },
      "option registry.retry.timeoutMs: found 0, expected a whole number from 1 to 86400000",
    ],
    [
      { limitRate: "10M" },
      'option registry.limitRate: found "10M", expected a number of bytes per second, at least 1024',
    ],
  ])("%j is refused before anything is sent", async (registry, message) => {
    await expect(digest("r.invalid/app:1", { registry: registry as RegistryOptions })).rejects.toThrow(
      new UsageError(`Cannot use ${message}`),
    );
  });
});
