import type { Argv } from "yargs";
import type { CopyOptions } from "../../index.ts";

/** Flags of copies from a v1 registry. */
export interface RescueFlags {
  readonly report?: string | undefined;
  readonly verify?: boolean | undefined;
  readonly compression?: string | undefined;
  readonly noV1Checksums?: boolean | undefined;
}

/** `--report`, also of `pull`. */
export const REPORT = {
  type: "string",
  requiresArg: true,
  describe: "v1:// only: write a row for each tag to this .html, .csv or .json file (default: no file)",
} as const;

export function rescueFlags<T>(parser: Argv<T>): Argv<T & RescueFlags> {
  return parser
    .option("report", REPORT)
    .option("verify", {
      type: "boolean",
      describe: "look up each blob and manifest at the target, even where the tag exists (v1://: after the copy)",
    })
    .option("compression", {
      type: "string",
      requiresArg: true,
      describe: "v1:// only: compression of raw layers, keep or as for push (default keep)",
    })
    .option("no-v1-checksums", {
      type: "boolean",
      describe: "v1:// only: copy layers that do not have the checksum that the registry states, with a note",
    });
}

/** The same as options; absent ones are not given. */
export function rescueOptions({
  report,
  verify,
  compression,
  noV1Checksums,
}: RescueFlags): Pick<CopyOptions, "report" | "verify" | "compression" | "v1Checksums"> {
  return {
    report,
    verify,
    // The library checks it.
    compression: compression as CopyOptions["compression"],
    v1Checksums: noV1Checksums === true ? false : undefined,
  };
}
