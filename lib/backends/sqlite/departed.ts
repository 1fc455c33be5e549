/** Storages of this process that have closed and could not take themselves out of their file. Its pid lives, so only it can tell. */
const departed = new Set<string>();

/** Counts as gone from now on. */
export function depart(instance: string): void {
  departed.add(instance);
}

/** Has left nothing, or is open again. */
export function forgetDeparted(instance: string): void {
  departed.delete(instance);
}

export function departedInstances(): readonly string[] {
  return [...departed];
}
