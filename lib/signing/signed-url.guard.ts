import { Inject, Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { platformRequestOf } from '../platform/node-request.js';
import { RequestDrain } from '../shutdown/request-drain.js';
import { settleRequest } from '../upload/request/settle-request.js';
import { shuttingDown } from '../upload/request/shutting-down.js';
import { SignedRoutes } from './signed-routes.js';
import { showBody } from './unread-bodies.js';

/** Lets in who has a URL that this application has signed, for what it was signed for. */
@Injectable()
export class SignedUrlGuard implements CanActivate {
  constructor(
    @Inject(SignedRoutes) private readonly routes: SignedRoutes,
    @Optional() @Inject(RequestDrain) private readonly drain?: RequestDrain,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { request, response } = platformRequestOf(context);
    if (this.drain?.isClosing === true && (request.method === 'PUT' || request.method === 'POST')) {
      // before it is admitted: a URL that is good once stays good for the next try
      await settleRequest(request, response, true);
      throw shuttingDown(response, this.drain);
    }
    await this.routes.admit(request);
    showBody(request);
    return true;
  }
}
