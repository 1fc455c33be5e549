import { createParamDecorator } from '@nestjs/common';
import { tenantOf } from './tenant-request.js';

/** The tenant of the request, as a handler's argument. */
export const CurrentTenant = createParamDecorator((_data: unknown, context) => tenantOf(context));
