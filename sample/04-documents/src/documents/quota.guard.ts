import { type CanActivate, type ExecutionContext, Injectable, PayloadTooLargeException } from '@nestjs/common';
import type { UploadLimits } from 'nestjs-storages';
import type { Tenant } from '../tenancy/tenant.js';
import { tenantOf, tenantRequestOf, type TenantRequest } from '../tenancy/tenant-request.js';
import { DocumentsService } from './documents.service.js';

interface QuotaRequest extends TenantRequest {
  /** Bytes. */
  room?: number;
}

/**
 * Notes how much room the tenant has, since an upload's options are functions of the request alone and can ask no provider. Two requests that arrive
 * together see the same room: {@link Quota.check} settles that.
 */
@Injectable()
export class QuotaGuard implements CanActivate {
  constructor(private readonly documents: DocumentsService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const tenant = tenantOf(context);
    const request: QuotaRequest = tenantRequestOf(context);
    const { usedBytes } = await this.documents.usage(tenant);
    request.room = Math.max(0, tenant.totalBytes - usedBytes);
    return true;
  }
}

/** What one upload of the tenant may bring. */
export function limitsOf(context: ExecutionContext): UploadLimits {
  const { room }: QuotaRequest = tenantRequestOf(context);
  if (room === undefined) throw new Error('An upload needs QuotaGuard.');
  return { fileSize: tenantOf(context).fileBytes, totalSize: room };
}

@Injectable()
export class Quota {
  constructor(private readonly documents: DocumentsService) {}

  /**
   * After the files are stored, so that it counts those of others too: what goes over is refused, and the upload takes its files back.
   *
   * @throws PayloadTooLargeException
   */
  async check(tenant: Tenant): Promise<void> {
    const { usedBytes } = await this.documents.usage(tenant);
    if (usedBytes > tenant.totalBytes) {
      throw new PayloadTooLargeException(`All documents together may have ${tenant.totalBytes} bytes.`);
    }
  }
}
