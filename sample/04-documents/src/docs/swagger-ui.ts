import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { DocumentsModule } from '../documents/documents.module.js';
import { HealthModule } from '../health/health.module.js';
import { ReportsModule } from '../reports/reports.module.js';

/** Describes the routes, and shows them at `/docs`, where they can be tried. */
export function setUpSwaggerUi(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Documents')
    .setDescription('Each tenant has documents of its own: put its API key in by Authorize.')
    .setVersion('1')
    .addBearerAuth()
    .build();
  // not the routes of signed URLs: whoever has one needs no description, and nobody else can call them
  const include = [DocumentsModule, ReportsModule, HealthModule];
  const document = SwaggerModule.createDocument(app, config, { include });
  // the key stays when the page is loaded again
  SwaggerModule.setup('docs', app, document, { swaggerOptions: { persistAuthorization: true } });
}
