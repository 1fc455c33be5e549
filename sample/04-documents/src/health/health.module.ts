import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { StorageHealthModule } from 'nestjs-storages/terminus';
import { HealthController } from './health.controller.js';

@Module({ imports: [TerminusModule, StorageHealthModule], controllers: [HealthController] })
export class HealthModule {}
