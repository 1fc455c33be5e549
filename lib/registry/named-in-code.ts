/**
 * Names that stand in the code of this process: asked for by `@InjectStorage(name)`, given by `forRoot` and its fellows. Only the message
 * of a failing start-up comes from here: Nest stops at the first dependency it does not find, before any code of ours runs, so
 * a name that nobody gives must be known when Nest reads the modules. Which storage is injected never depends on it.
 */
const asked = new Set<string>();
const given = new Set<string>();
let defaultGiven = false;

export function askForStorage(name: string): void {
  asked.add(name);
}

export function giveStorages(names: Iterable<string>, withDefault: boolean): void {
  for (const name of names) given.add(name);
  defaultGiven ||= withDefault;
}

/** Names that are asked for and given nowhere; `undefined` stands for the default storage. */
export function missingStorages(): (string | undefined)[] {
  const missing: (string | undefined)[] = [...asked].filter((name) => !given.has(name));
  return defaultGiven ? missing : [...missing, undefined];
}
