"""The client story as boto3 tells it: python3 boto3_story.py ENDPOINT BUCKET SMALL_FILE BIG_FILE [CA_FILE].

Credentials come from the environment. boto3 runs with its defaults (checksums on, Signature Version 4); a failed
assertion is a broken promise and ends the process with a traceback.
"""
import hashlib
import sys
import urllib.request

import boto3
from botocore.client import Config


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(endpoint, bucket, small, big, ca=None):
    verify = ca or None
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", verify=verify)
    s3.create_bucket(Bucket=bucket)
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]

    s3.upload_file(small, bucket, "docs/small.txt", ExtraArgs={"Metadata": {"author": "ada"}, "ContentType": "text/plain"})
    head = s3.head_object(Bucket=bucket, Key="docs/small.txt")
    assert head["Metadata"] == {"author": "ada"} and head["ContentType"] == "text/plain"
    got = s3.get_object(Bucket=bucket, Key="docs/small.txt")["Body"].read()
    assert got == open(small, "rb").read()

    s3.upload_file(big, bucket, "big.bin")
    s3.download_file(bucket, "big.bin", big + ".back")
    assert sha256_of(big + ".back") == sha256_of(big)
    part = s3.get_object(Bucket=bucket, Key="big.bin", Range="bytes=1000000-1000099")
    with open(big, "rb") as file:
        file.seek(1_000_000)
        assert part["Body"].read() == file.read(100)

    s3.copy({"Bucket": bucket, "Key": "big.bin"}, bucket, "copies/big.bin")
    s3.download_file(bucket, "copies/big.bin", big + ".copy")
    assert sha256_of(big + ".copy") == sha256_of(big)

    page = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [o["Key"] for o in page["Contents"]] == ["big.bin"]
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["copies/", "docs/"]

    v4 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", verify=verify, config=Config(signature_version="s3v4"))
    url = v4.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "docs/small.txt"}, ExpiresIn=60)
    if ca is None:
        assert urllib.request.urlopen(url).read() == got

    keys = [f"many/{n:03}" for n in range(50)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys + ["big.bin", "copies/big.bin", "docs/small.txt"]]})
    assert len(gone["Deleted"]) == 53 and "Errors" not in gone
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    s3.delete_bucket(Bucket=bucket)
    print("story told")


main(*sys.argv[1:])
