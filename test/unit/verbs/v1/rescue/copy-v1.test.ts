import { expect, test } from "vitest";
import { PartialError } from "../../../../../src/errors.ts";
import { copyTo, pull } from "../../../../../src/index.ts";
import { temporaryFolder } from "../../../../support/images.ts";
import { ScriptedRegistry } from "../../../../support/scripted-registry.ts";
import { fillImage } from "../../../../support/v1/fill-v1.ts";
import { V1Registry } from "../../../../support/v1/v1-registry.ts";

test("a rescue copies the others if repositories or tags have names that no other registry takes, or one name twice", async () => {
  const old = await V1Registry.start({ isReadOnly: true });
  const long = `${"x".repeat(123)}/${"y".repeat(123)}`;
  for (const name of ["team/good", "team/App", "team/app", "team/a..b", long]) fillImage(old.content, name, "1");
  const { tags } = old.content.repository("team/good");
  for (const tag of ["-x", "../../x", "\u001b[2J"]) tags.set(tag, tags.get("1") ?? "");
  const target = await ScriptedRegistry.start();
  const all = `v1://${old.host}/**`;
  const error: unknown = await copyTo([all], `${target.host}/old/registry`).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PartialError);
  const { result, failed } = error as PartialError<{ images: { reference: string }[] }>;
  expect(result?.images.map(({ reference }) => reference)).toEqual([`${target.host}/old/registry/team/good:1`]);
  expect(failed).toEqual(
    [
      "team/good:-x",
      'team/good:"../../x"',
      'team/good:"\\u{1b}[2J"',
      "team/App:1",
      "team/app:1",
      "team/a..b:1",
      `${long}:1`,
    ].map(name => `v1://${old.host}/${name}`),
  );
  const output = `${await temporaryFolder()}/out.tar`;
  await expect(pull([all], { output })).rejects.toMatchObject({ exitCode: 2 });
  await expect(pull([all], { output, keepGoing: true })).rejects.toMatchObject({
    exitCode: 10,
    result: { images: [{ names: [`${old.host}/team/good:1`] }, { names: [`${old.host}/${long}:1`] }] },
  });
});
