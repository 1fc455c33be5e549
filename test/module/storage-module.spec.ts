import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  getStorageToken,
  InjectStorage,
  MemoryStorage,
  Storage,
  StorageModule,
  StorageRegistry,
} from 'nestjs-storages';

describe('StorageModule.forRoot', () => {
  it('injects the very object that it was given, by name, as the default and from the registry', async () => {
    const uploads = new MemoryStorage();
    const archive = new MemoryStorage();

    @Injectable()
    class Consumer {
      constructor(
        readonly byClass: Storage,
        @InjectStorage() readonly byDefault: Storage,
        @InjectStorage('archive') readonly byName: Storage,
        @Inject(getStorageToken('uploads')) readonly byToken: Storage,
        readonly registry: StorageRegistry,
      ) {}
    }
    @Module({ providers: [Consumer] })
    class FeatureModule {}
    const app = await Test.createTestingModule({
      imports: [StorageModule.forRoot({ default: 'uploads', storages: { uploads, archive } }), FeatureModule],
    }).compile();

    const consumer = app.get(Consumer);
    expect(consumer.byClass).toBe(uploads);
    expect(consumer.byDefault).toBe(uploads);
    expect(consumer.byName).toBe(archive);
    expect(consumer.byToken).toBe(uploads);
    expect(consumer.registry.names()).toEqual(['uploads', 'archive']);
    expect(consumer.registry.get()).toBe(uploads);
    expect(consumer.registry.get('archive')).toBe(archive);
    expect(uploads.name).toBe('uploads');
    expect(app.get(Storage)).toBe(uploads);
    await app.close();
  });
});
