// #region metrics
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { STORAGE_OPERATIONS, type TracedOperation } from 'nestjs-storages';

const SETTLED = `tracing:${STORAGE_OPERATIONS}:asyncEnd`;

@Injectable()
export class StorageMetrics implements OnModuleInit, OnApplicationShutdown {
  readonly counts = new Map<string, number>();

  readonly #count = (message: unknown): void => {
    const { storage, operation, error } = message as TracedOperation;
    const name = `${storage}.${operation}.${error?.code ?? 'ok'}`;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  };

  onModuleInit(): void {
    subscribe(SETTLED, this.#count);
  }

  onApplicationShutdown(): void {
    unsubscribe(SETTLED, this.#count);
  }
}
// #endregion
