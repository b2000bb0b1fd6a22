// Exit codes by command. They are known before a command is loaded: where that fails, the code must be no verdict.

export interface ExitCodes {
  readonly failed: number;
  readonly refused: number;
}

const USUAL: ExitCodes = { failed: 1, refused: 2 };
/** Commands that answer with 1 or 2 themselves. */
const OTHERS: Readonly<Record<string, ExitCodes>> = {
  assess: { failed: 3, refused: 4 },
  diff: { failed: 2, refused: 2 },
};

export function exitCodesOf(command: string | undefined): ExitCodes {
  return (command !== undefined && Object.hasOwn(OTHERS, command) && OTHERS[command]) || USUAL;
}
