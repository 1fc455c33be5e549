import { abortErrorOf, onAbort } from '../../contract/base/abort.js';
import { ConnectionError } from '../../contract/index.js';
import type { Fault } from './fault.js';
import type { Gate } from './gate.js';

/** Lets a fault happen. @returns `end` where bytes or items are to end here */
export async function strike(fault: Fault, signal: AbortSignal | undefined): Promise<'go-on' | 'end'> {
  const { effect, method } = fault;
  fault.hit();
  switch (effect.kind) {
    case 'fail':
      throw effect.error ?? new ConnectionError(`FaultyStorage: ${method} was told to fail here.`);
    case 'hold':
      await held(effect.gate, signal);
      return 'go-on';
    case 'hang':
      return new Promise(() => undefined);
    case 'end':
      return 'end';
    case 'settle-after-abort':
      await fired(method, signal);
      return 'go-on';
  }
}

function held(gate: Gate, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortErrorOf(signal));
      return;
    }
    const off = onAbort(signal, reject);
    void gate.pass().then(() => {
      off();
      resolve();
    });
  });
}

function fired(method: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal === undefined) {
      reject(new TypeError(`FaultyStorage: settleAfterAbort('${method}') needs a call that is given a signal.`));
    } else if (signal.aborted) {
      resolve();
    } else {
      onAbort(signal, () => {
        resolve();
      });
    }
  });
}
