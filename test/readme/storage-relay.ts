// #region emitter
import { Injectable } from '@nestjs/common';
import { EventEmitter2, OnEvent } from '@nestjs/event-emitter';
import { OnStorageEvent, type StorageEvent } from 'nestjs-storages';

@Injectable()
export class StorageRelay {
  constructor(private readonly emitter: EventEmitter2) {}

  @OnStorageEvent(['committed', 'copied', 'moved', 'deleted'])
  relay(event: StorageEvent): void {
    this.emitter.emit(`storage.${event.storage}.${event.type}`, event);
  }
}

@Injectable()
export class Greeter {
  readonly greeted: string[] = [];

  @OnEvent('storage.avatars.committed')
  greet({ key }: StorageEvent<'committed'>): void {
    this.greeted.push(key);
  }
}
// #endregion
