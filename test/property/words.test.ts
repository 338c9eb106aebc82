import {
  type Arbitrary,
  array,
  asyncProperty,
  assert as check,
  constant,
  constantFrom,
  oneof,
  string,
  tuple,
} from "fast-check";
import { describe, expect, test } from "vitest";
import type { Arguments, CommandModule } from "yargs";
import type { Context } from "../../src/cli/context.ts";
import { COMMAND_NAMES, type CommandName, loadCommand } from "../../src/cli/load-command.ts";
import { checkOutputs } from "../../src/cli/output/output-files.ts";
import { parseWords } from "../../src/cli/words/parse-words.ts";
import { runWithYargs } from "../../src/cli/words/run-with-yargs.ts";
import { definitionsOf, type FlagWords, type WordDefinitions } from "../../src/cli/words/word-definitions.ts";

const RUNS = process.env["IMGPACK_THOROUGH"] === "1" ? 2000 : 10;
/** Their arguments are among a few words. */
const LEFT_TO_YARGS: readonly CommandName[] = ["completion", "help", "hub"];
const READ = COMMAND_NAMES.filter(name => !LEFT_TO_YARGS.includes(name));

const context: Context = {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: new AbortController().signal,
};

async function commandOf(name: CommandName): Promise<{ command: CommandModule; definitions: WordDefinitions }> {
  const command = await loadCommand(name, context);
  const definitions = definitionsOf(command);
  if (definitions === undefined) throw new Error(`${name} is left to yargs`);
  return { command, definitions };
}

/** What the handler gets, or the message of the error. */
type Read = { readonly flags: unknown } | { readonly error: string };

const failure = (error: unknown): Read => ({ error: error instanceof Error ? error.message : String(error) });

async function readWithYargs(command: CommandModule, words: readonly string[]): Promise<Read> {
  let flags: unknown;
  const handler = (given: Arguments): void => {
    // yargs adds its own fields without a prototype.
    flags = { ...given };
  };
  return await runWithYargs(words, [{ ...command, handler }], context).then(() => ({ flags }), failure);
}

async function readFast(flags: Arguments): Promise<Read> {
  try {
    await checkOutputs(flags);
    return { flags };
  } catch (error) {
    return failure(error);
  }
}

const odd = constantFrom(
  ...[
    "",
    "-",
    "--",
    "-5",
    "-x",
    "--nosuch",
    "--no-json",
    "true",
    "false",
    "0",
    "12",
    "007",
    "0x10",
    "1e3",
    "1.5",
    "-0",
  ],
  ...["NaN", "Infinity", "'q'", '"q"', "'", "a b", "a=b", "=", "a.b", "a,b", "[1]", "__proto__", "constructor", "$0"],
  ...["_", "ä", "\u202e", "prune", "semver", "999999999999999999999", "9007199254740993", " ", " 1", "1 ", "\n", "é=1"],
);
const name = constantFrom("app.tar", "registry.lan:5000/team/app:1", "x@sha256:00", "./folder/", "/dev/null", "r.lan");
const value: Arbitrary<string> = oneof(
  { weight: 4, arbitrary: name },
  { weight: 2, arbitrary: odd },
  string({ maxLength: 6, unit: constantFrom(..."-=.'\"a1 \u0000:/") }),
);

/** Words of one flag, mostly as a person writes them. */
function flagWords({ names, kind, choices }: FlagWords): Arbitrary<readonly string[]> {
  const spelled = constantFrom(...names.map(each => (each.length === 1 ? `-${each}` : `--${each}`)));
  const fitting =
    kind === "number"
      ? constantFrom("0", "1", "12", "100", "123456789")
      : kind === "choice"
        ? constantFrom(...choices)
        : name;
  const usual = kind === "boolean" ? spelled.map(word => [word]) : tuple(spelled, fitting).map(words => [...words]);
  const camel = names[0]?.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase()) ?? "";
  return oneof(
    { weight: 8, arbitrary: usual },
    tuple(spelled, oneof(fitting, value)).map(([word, given]) => [`${word}=${given}`]),
    tuple(spelled, value).map(words => [...words]),
    tuple(spelled, array(value, { maxLength: 3 })).map(([word, given]) => [word, ...given]),
    tuple(spelled, fitting).map(([word, given]) => [`${word}${given}`]),
    constant([`--${camel}`, "x"]),
    constant([`--no-${names[0] ?? ""}`]),
    constant([`--${(names[0] ?? "").slice(0, 4)}`, "x"]),
  );
}

/** Command lines of a command that has these flags and as many names as it takes, among other things. */
function commandLines(command: CommandName, { flags, positionals }: WordDefinitions): Arbitrary<readonly string[]> {
  const all = [...new Set(flags.values())];
  const required = all.filter(({ isRequired }) => isRequired);
  const some = array(oneof(...all.map(flagWords)), { maxLength: 4 });
  const needed = tuple(...required.map(flag => oneof({ weight: 9, arbitrary: flagWords(flag) }, constant([]))));
  const names = tuple(...positionals.map(() => name)).map(words => words.map(word => [word]));
  const others = oneof(
    { weight: 5, arbitrary: names },
    array(value, { maxLength: 3 }).map(words => [words]),
  );
  return tuple(others, some, needed, constantFrom(0, 1)).map(([before, between, after, isLast]) => {
    const groups = isLast === 1 ? [...between, ...after, ...before] : [...before, ...between, ...after];
    return [command, ...groups.flat()];
  });
}

describe("a command line that is read without yargs", () => {
  test.each(READ)("imgpack %s: the handler gets exactly what yargs gives it", async commandName => {
    const { command, definitions } = await commandOf(commandName);
    await check(
      asyncProperty(commandLines(commandName, definitions), async words => {
        const flags = parseWords(words, definitions);
        if (flags === undefined) return;
        expect(await readFast(flags)).toEqual(await readWithYargs(command, words));
      }),
      { numRuns: RUNS },
    );
  });

  test.each(READ)("imgpack %s: each flag is read as yargs reads it, and allowed once", async commandName => {
    const { command, definitions } = await commandOf(commandName);
    const names = definitions.positionals.map(({ name: each }) => `${each}.tar`);
    const flags = [...new Set(definitions.flags.values())];
    const sample = ({ kind, choices, names: [first = ""] }: FlagWords): string =>
      kind === "number" ? "7" : (choices[0] ?? `${first}.txt`);
    const apart = flags.flatMap(flag => [`--${flag.names[0]}`, ...(flag.kind === "boolean" ? [] : [sample(flag)])]);
    const joined = flags.map(flag => `--${flag.names[0]}${flag.kind === "boolean" ? "" : `=${sample(flag)}`}`);
    for (const words of [
      [commandName, ...names, ...apart],
      [commandName, ...names, ...joined.reverse()],
    ]) {
      const parsed = parseWords(words, definitions);
      if (parsed === undefined) throw new Error(`Left to yargs: ${words.join(" ")}`);
      expect({ flags: parsed }).toEqual(await readWithYargs(command, words));
    }
  });

  test.each(READ)(
    "imgpack %s: no flag takes the argument after its value, and -- ends the flags",
    async commandName => {
      const { command, definitions } = await commandOf(commandName);
      const names = definitions.positionals.map(({ name: each }) => `${each}.tar`);
      const found = (given: readonly string[]): object =>
        Object.fromEntries(
          definitions.positionals.map(({ name: each, isList }, at) => [each, isList ? [given[at]] : given[at]]),
        );
      const flags = [...new Set(definitions.flags.values())];
      const line = ({ names: [first = ""], kind, choices }: FlagWords): readonly string[] =>
        kind === "boolean" ? [`--${first}`] : [`--${first}`, kind === "number" ? "7" : (choices[0] ?? "value")];
      for (const flag of flags) {
        const needed = flags.filter(each => each.isRequired && each !== flag).flatMap(line);
        const words = [commandName, ...needed, ...line(flag), ...names];
        expect(parseWords(words, definitions), words.join(" ")).toMatchObject(found(names));
      }
      const dashed = names.map((each, index) => (index === 0 ? `--${each}` : each));
      const lists = flags.filter(({ kind, isRequired }) => kind === "list" || isRequired).flatMap(line);
      const read = await readWithYargs(command, [commandName, ...lists, "--", ...dashed]);
      expect(read).toMatchObject({ flags: found(dashed) });
    },
  );

  test.each([
    "push app.tar --registry registry.lan:5000",
    "push a.tar b.tar.gz - --to registry.lan/mirror --plain-http --quiet",
    "push app.tar -t registry.lan/app:1 -t registry.lan/app:2 -q -v",
    "push app.tar -f list.txt -u ci --password-stdin",
    "convert in.tar out.tar -t app:1",
    "push app.tar --tag registry.lan/app:1 --tag registry.lan/app:2 --json",
    "push app.tar --from-file=list.txt --failed-list failed.txt --retry 10 --dry-run",
    "pull registry.lan:5000/app:1 -o app.tar",
    "pull a/b c/d --output=out/ --platform linux/amd64,linux/arm64 --layers gzip",
    "pull registry.lan/app -o -",
    "copy quay.io/app:1 registry.lan/app:1 --progress none",
    "inspect app.tar",
    "inspect registry.lan/app:1 --json",
    "verify app.tar",
    "doctor app.tar --quick",
    "convert in.tar - --format oci",
    "import rootfs.tar -t base:1 -o base.tar",
    "serve --store folder --listen 127.0.0.1:0",
    "login registry.lan -u me --password-stdin",
    "logout registry.lan",
    "tags registry.lan/app --sort semver --limit 5",
    "latest registry.lan/app",
    "catalog registry.lan",
    "exists registry.lan/app:1",
    "digest registry.lan/app:1 --insecure",
    "manifest registry.lan/app:1 --raw",
    "config registry.lan/app:1",
    "ping registry.lan",
    "tag registry.lan/app:1 2 latest",
    "delete registry.lan/app:1 --yes",
    "referrers registry.lan/app:1",
  ])("imgpack %s is read without yargs", async line => {
    const words = line.split(" ");
    const found = READ.find(each => each === words[0]);
    if (found === undefined) throw new Error(line);
    const { command, definitions } = await commandOf(found);
    const flags = parseWords(words, definitions);
    expect(flags).toBeDefined();
    expect({ flags }).toEqual(await readWithYargs(command, words));
  });

  test.each([
    ["push a.tar --help"],
    ["push a.tar --version"],
    ["push a.tar --js"],
    ["push a.tar --nosuch"],
    ["push a.tar --no-json"],
    ["push a.tar --json --json"],
    ["push a.tar --json=true"],
    ["push a.tar --json true"],
    ["push a.tar --plainHttp"],
    ["push -- a.tar"],
    ["push a.tar --retry"],
    ["push a.tar --retry 0x10"],
    ["push a.tar --sparse other"],
    ["push a.tar --to="],
    ["push 'a.tar'"],
    ["pull app"],
    ["pull app -oout.tar"],
    ["inspect"],
    ["import a b"],
  ])("imgpack %s is left to yargs", async line => {
    const words = line.split(" ");
    const { definitions } = await commandOf(words[0] as CommandName);
    expect(parseWords(words, definitions)).toBeUndefined();
  });
});
