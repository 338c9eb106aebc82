import { expect, test } from "vitest";
import { commandDefinitions } from "../../../src/cli/definitions/command-definitions.ts";

/** Commands that send no requests to a registry, or only one. */
const OTHERS = [
  "inspect",
  "verify",
  "doctor",
  "convert",
  "serve",
  "login",
  "logout",
  "hub",
  "completion",
  "help",
  "mirrors",
];

const commands = (await commandDefinitions()).filter(({ name }) => !OTHERS.includes(name));

test.each(commands)("imgpack $name takes --retry, --timeout, --limit-rate and --min-rate", ({ flags }) => {
  const names = flags.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["retry", "timeout", "limit-rate", "min-rate"]));
});
