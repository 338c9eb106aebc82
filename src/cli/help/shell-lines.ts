/** A command line as the lines that a person can paste into a shell: broken at spaces outside quotes, with a backslash. */
export function shellLines(command: string, width: number): readonly string[] {
  // A flag of one letter stays with its value.
  const words = command.match(/(?:(?:^|(?<= ))-\w )?(?:'[^']*'|"[^"]*"|[^ ])+/g) ?? [];
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const joined = line === "" ? word : `${line} ${word}`;
    // Room for the backslash.
    if (joined.length <= width - 2 || line === "") line = joined;
    else {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    }
  }
  return [...lines, line];
}
