import { Module } from '@nestjs/common';
import { StorageModule } from 'nestjs-storages';
import { DocumentsModule } from '../documents/documents.module.js';
import { ReportsController } from './reports.controller.js';
import { ReportsService } from './reports.service.js';

/** Reports: in the storage `derived`, whose loss would cost nothing but the time to make them again. */
@Module({
  imports: [DocumentsModule, StorageModule.forFeature([{ name: 'reports', storage: 'derived', prefix: 'reports/' }])],
  controllers: [ReportsController],
  providers: [ReportsService],
})
export class ReportsModule {}
