import { expect, test } from "vitest";
import { catalog } from "../../../../src/verbs/query/catalog.ts";
import { digest } from "../../../../src/verbs/query/digest.ts";
import { exists } from "../../../../src/verbs/query/exists.ts";
import { tags } from "../../../../src/verbs/query/tags.ts";
import { fillImage } from "../../../support/v1/fill-v1.ts";
import { V1Registry } from "../../../support/v1/v1-registry.ts";

test("tags, exists and catalog ask a v1 registry; digest says that v1 has none", async () => {
  const registry = await V1Registry.start({ isReadOnly: true });
  fillImage(registry.content, "Team/App", "1.0");
  fillImage(registry.content, "Team/App", "2.0");
  const app = `v1://${registry.host}/Team/App`;
  const list = async (text: string, sort?: "semver") => (await tags(text, { sort })).tags.map(({ tag }) => tag);
  expect(await list(app, "semver")).toEqual(["2.0", "1.0"]);
  expect(await list(`${app}:1.*`)).toEqual(["1.0"]);
  await expect(list(`${app}:9*`)).rejects.toMatchObject({ exitCode: 5 });
  expect([await exists(`${app}:1.0`), await exists(`${app}:3`)]).toEqual([true, false]);
  expect(await catalog(`v1://${registry.host}`)).toEqual({
    registry: `v1://${registry.host}`,
    repositories: ["Team/App"],
  });
  expect(registry.seen(/layer$/)).toEqual([]);
  await expect(digest(`${app}:1.0`)).rejects.toMatchObject({
    exitCode: 2,
    hint: expect.stringMatching(/no digests/) as unknown,
  });
});
