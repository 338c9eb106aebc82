/** A mistake on the command line, found before the library is loaded. */
export interface CommandFault extends Error {
  readonly code: "ERR_USAGE";
  readonly exitCode: 2;
  readonly hint: string;
}

export function commandFault(message: string, cause?: unknown, command?: string): CommandFault {
  const help = command === undefined ? "imgpack --help" : `imgpack ${command} --help`;
  return Object.assign(new Error(message, { cause }), {
    code: "ERR_USAGE" as const,
    exitCode: 2 as const,
    hint: `See "${help}".`,
  });
}
