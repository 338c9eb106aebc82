import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import type { SigningKeyOptions } from "../../index.ts";
import { quote } from "../../util/format.ts";
import type { Context } from "../context.ts";
import { readFlagFile } from "./flag-file.ts";

/** Flags of the commands that write archives. */
export interface SignFlags {
  readonly sign?: string | undefined;
  readonly signPassphraseFile?: string | undefined;
}

export function signFlags<T>(parser: Argv<T>): Argv<T & SignFlags> {
  return parser
    .option("sign", {
      type: "string",
      requiresArg: true,
      describe: "private key that signs the archive: Ed25519, ECDSA P-256 or RSA in PEM (default: not signed)",
    })
    .option("sign-passphrase-file", {
      type: "string",
      requiresArg: true,
      describe: "file with the passphrase of --sign (default $IMGPACK_SIGN_PASSPHRASE, else asked on the terminal)",
    });
}

/** @param inputs of the command, of which "-" is stdin. @throws UsageError for a file that cannot be read. */
export async function signOf(
  { sign, signPassphraseFile }: SignFlags,
  context: Context,
  inputs: readonly string[] = [],
): Promise<SigningKeyOptions | undefined> {
  if (sign === undefined && signPassphraseFile === undefined) return undefined;
  if (sign === undefined) throw new UsageError("Cannot use --sign-passphrase-file: no --sign given, expected both");
  const key = await readFlagFile("--sign", sign, "a private key in PEM", context.signal);
  if (signPassphraseFile !== undefined) {
    const text = await readFlagFile("--sign-passphrase-file", signPassphraseFile, "a passphrase", context.signal);
    return { key, passphrase: text.replace(/\r?\n$/, "") };
  }
  const passphrase = process.env["IMGPACK_SIGN_PASSPHRASE"] || (await askedPassphrase(key, sign, context, inputs));
  return { key, passphrase };
}

/** Undefined for a key that needs none, and where there is no one to ask: the library then says what is missing. */
async function askedPassphrase(
  key: string,
  path: string,
  { stderr, signal }: Context,
  inputs: readonly string[],
): Promise<string | undefined> {
  const { stdin } = process;
  if (!/ENCRYPTED/.test(key) || stdin.isTTY !== true || inputs.includes("-")) return undefined;
  const { askSecret } = await import("../prompt.ts");
  return await askSecret(`Passphrase for ${quote(path)}: `, { input: stdin, output: stderr, signal });
}
