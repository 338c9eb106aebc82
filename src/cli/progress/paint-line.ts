const RESET = "\u001B[0m";
const GREEN = "\u001B[32m";
const YELLOW = "\u001B[33m";
const RED = "\u001B[31m";

/** Colours of a line that is drawn: green bars, yellow waits, red failures. The text stays the same. */
export function paintLine(line: string): string {
  return line
    .replace(/\[(=+)( *)\]/, `[${GREEN}$1${RESET}$2]`)
    .replace(/(?<=^ {2}|, | )waiting\b.*$/, `${YELLOW}$&${RESET}`)
    .replace(/\d+ failed(?=,)/, `${RED}$&${RESET}`);
}
