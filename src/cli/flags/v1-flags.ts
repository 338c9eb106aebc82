import type { Argv } from "yargs";

/** Flags of every command that takes v1:// references. */
export interface V1Flags {
  readonly v1Path?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** `--v1-path`, also of the commands that only reach an index. */
export const V1_PATH = {
  group: "Registry",
  type: "string",
  requiresArg: true,
  describe: "v1:// only: path before /v1, such as /artifactory/api/docker/KEY (default none)",
} as const;

export function v1Flags<T>(parser: Argv<T>): Argv<T & V1Flags> {
  return parser.option("v1-path", V1_PATH).option("endpoint", {
    group: "Registry",
    type: "string",
    requiresArg: true,
    describe: "v1:// only: host of the images, instead of those that X-Docker-Endpoints names (default none)",
  });
}
