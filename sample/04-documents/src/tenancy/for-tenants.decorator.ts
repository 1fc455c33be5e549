import { applyDecorators, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiUnauthorizedResponse } from '@nestjs/swagger';
import { TenantGuard } from './tenant.guard.js';

/** For a controller whose every route belongs to the tenant who asks. */
export const ForTenants = (): ClassDecorator & MethodDecorator =>
  applyDecorators(
    UseGuards(TenantGuard),
    ApiBearerAuth(),
    ApiUnauthorizedResponse({ description: 'There is no such API key.' }),
  );
