from __future__ import annotations

import pytest

from pytest_avatar.core.tracing import named_exporters

PLACE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, ()),
        ({"OTEL_SERVICE_NAME": "shop"}, ()),
        (PLACE, ("otlp_proto_http",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318"}, ("otlp_proto_http",)),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ("otlp_proto_http",)),
        (
            {"OTEL_TRACES_EXPORTER": "console, otlp,zipkin"},
            ("console", "otlp_proto_http", "zipkin"),
        ),
        ({**PLACE, "OTEL_TRACES_EXPORTER": "none"}, ()),
        ({**PLACE, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ("otlp_proto_grpc",)),
        (
            {
                **PLACE,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            },
            ("otlp_proto_http",),
        ),
        ({**PLACE, "OTEL_SDK_DISABLED": "True"}, ()),
    ],
)
def test_the_environment_names_the_exporters(
    environment: dict[str, str], names: tuple[str, ...]
) -> None:
    assert named_exporters(environment) == names
