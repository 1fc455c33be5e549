import { Global, Module } from '@nestjs/common';
import { Tenants } from './tenants.js';

/** Who there is, for the guard of every module. */
@Global()
@Module({ providers: [Tenants], exports: [Tenants] })
export class TenancyModule {}
