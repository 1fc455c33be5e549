/** A promise of which can be asked whether it has settled. */
export class Watched<T> {
  readonly promise: Promise<T>;
  settled = false;

  constructor(promise: Promise<T>) {
    this.promise = promise;
    const settle = (): void => {
      this.settled = true;
    };
    // heard here, so that a check that fails first leaves no rejection that nobody hears
    promise.then(settle, settle);
  }
}
