import { Controller, Get, Module, Param, Res, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Response } from 'express';

/** Express's own way, in a Nest handler. */
export function create(root: string): Promise<INestApplication> {
  @Controller()
  class FilesController {
    @Get(':name')
    read(@Param('name') name: string, @Res() response: Response): void {
      response.sendFile(name, { root });
    }
  }

  @Module({ controllers: [FilesController] })
  class AppModule {}
  return NestFactory.create(AppModule, { logger: ['error'] });
}
