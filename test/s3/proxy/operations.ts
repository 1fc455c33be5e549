import type { IncomingMessage } from 'node:http';

/** What a request asks of S3, by the name that the API has for it. */
export type Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CopyObject'
  | 'CreateBucket'
  | 'CreateMultipartUpload'
  | 'DeleteBucket'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'GetObject'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'ListParts'
  | 'PutObject'
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'Unknown';

/** A request in path style, as far as it tells what is asked. */
export interface S3Request {
  readonly operation: Operation;
  readonly query: URLSearchParams;
}

/** Names the operation by method, path, query and the header that makes a put a copy; nothing in the body is needed. */
export function readRequest({ method = '', url = '', headers }: IncomingMessage): S3Request {
  const { pathname, searchParams: query } = new URL(url, 'http://server');
  const isBucket = !/^\/[^/]+\/./.test(pathname);
  const isCopy = headers['x-amz-copy-source'] !== undefined;
  return { operation: isBucket ? ofBucket(method, query) : ofObject(method, query, isCopy), query };
}

function ofBucket(method: string, query: URLSearchParams): Operation {
  switch (method) {
    case 'GET':
      if (query.has('uploads')) return 'ListMultipartUploads';
      return query.get('list-type') === '2' ? 'ListObjectsV2' : 'Unknown';
    case 'HEAD':
      return 'HeadBucket';
    case 'POST':
      return query.has('delete') ? 'DeleteObjects' : 'Unknown';
    case 'PUT':
      return 'CreateBucket';
    case 'DELETE':
      return 'DeleteBucket';
    default:
      return 'Unknown';
  }
}

function ofObject(method: string, query: URLSearchParams, isCopy: boolean): Operation {
  const isOfUpload = query.has('uploadId');
  switch (method) {
    case 'GET':
      return isOfUpload ? 'ListParts' : 'GetObject';
    case 'HEAD':
      return 'HeadObject';
    case 'POST':
      if (query.has('uploads')) return 'CreateMultipartUpload';
      return isOfUpload ? 'CompleteMultipartUpload' : 'Unknown';
    case 'PUT':
      if (isOfUpload) return isCopy ? 'UploadPartCopy' : 'UploadPart';
      return isCopy ? 'CopyObject' : 'PutObject';
    case 'DELETE':
      return isOfUpload ? 'AbortMultipartUpload' : 'DeleteObject';
    default:
      return 'Unknown';
  }
}
