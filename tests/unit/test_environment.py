"""What is recorded of an environment: what decides speed, and no path."""

from __future__ import annotations

import pytest

from perfsuite.measure.environment import decisive, worker_environment


@pytest.mark.parametrize(
    "name",
    [
        "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_VERBOSE", "ATEN_CPU_CAPABILITY", "OMP_NUM_THREADS",
        "KMP_BLOCKTIME", "GOMP_SPINCOUNT", "MKL_NUM_THREADS", "IPEX_FP32_MATH_MODE", "LIBXSMM_TARGET",
        "LRU_CACHE_CAPACITY", "MALLOC_CONF", "GLIBC_TUNABLES",
        "TORCHDYNAMO_DISABLE", "TORCH_COMPILE_DISABLE", "TORCHDYNAMO_PREPARE_FREEZING", "TORCHDYNAMO_SUPPRESS_ERRORS",
        "TORCHINDUCTOR_FREEZING", "TORCHINDUCTOR_MAX_AUTOTUNE", "TORCHINDUCTOR_COMPILE_THREADS",
        "TORCHINDUCTOR_KEEP_OUTPUT_STRIDE", "TORCHINDUCTOR_EPILOGUE_FUSION", "TORCHINDUCTOR_FORCE_DISABLE_CACHES",
        "TORCH_MKLDNN_MATMUL_MIN_DIM", "TORCH_LINEAR_FLATTEN_3D", "TORCH_DEVICE_BACKEND_AUTOLOAD",
        "TORCHAO_AUTOTUNER_ENABLE", "PYTORCH_JIT", "PYTORCH_TENSOREXPR", "PYTORCH_TENSOREXPR_DONT_FUSE",
        "PYTORCH_JIT_OPT_LIMIT",
    ],
)  # fmt: skip
def test_what_decides_speed_is_recorded(name: str) -> None:
    assert decisive({name: "1"}) == {name: "1"}


@pytest.mark.parametrize(
    "name",
    [
        # Where files lie.
        "TORCH_HOME", "TORCH_HUB", "TORCH_MODEL_ZOO", "TORCH_EXTENSIONS_DIR", "TORCHINDUCTOR_CACHE_DIR",
        "TORCHINDUCTOR_CK_DIR", "TORCH_COMPILE_DEBUG_DIR", "TORCH_TRACE", "TORCH_LOGS_OUT",
        "TORCHAO_AUTOTUNER_DATA_PATH", "TORCHINDUCTOR_MM_LOGGING_FILE", "PYTORCH_TUNABLEOP_FILENAME",
        "TORCHINDUCTOR_REDIS_URL", "PYTHONPATH", "PYTHONHOME", "PYTHONPYCACHEPREFIX", "PATH", "LD_LIBRARY_PATH", "HOME",
        # Messages, other devices, distributed runs, names.
        "TORCH_LOGS", "TORCH_CPP_LOG_LEVEL", "TORCHDYNAMO_VERBOSE", "TORCH_SHOW_CPP_STACKTRACES",
        "TORCH_DISABLE_ADDR2LINE", "TORCH_CUDA_ARCH_LIST",
        "PYTORCH_CUDA_ALLOC_CONF", "TORCH_NCCL_BLOCKING_WAIT", "TORCHELASTIC_RUN_ID",
        "PYTORCH_VERSION", "TORCH_COMPILE_JOB_ID", "USER",
    ],
)  # fmt: skip
def test_what_does_not_is_left_out(name: str) -> None:
    assert decisive({name: "1"}) == {}


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        ("/usr/lib/libjemalloc.so.2", "libjemalloc.so.2"),
        ("/opt/lib/libiomp5.so:/usr/lib/libtcmalloc.so", "libiomp5.so:libtcmalloc.so"),
        ("$LIB/libjemalloc.so /opt/libiomp5.so", "libjemalloc.so libiomp5.so"),
        ("oversize_threshold:1,prof_prefix:/tmp/me/prof", "oversize_threshold:1,prof_prefix:prof"),
        ("glibc.malloc.hugetlb=1", "glibc.malloc.hugetlb=1"),
    ],
)
def test_of_a_path_the_file_s_name_is_kept(value: str, recorded: str) -> None:
    assert decisive({"LD_PRELOAD": value}) == {"LD_PRELOAD": recorded}


def test_of_a_worker_s_environment_no_path_is_recorded() -> None:
    whole = worker_environment({"TORCHDYNAMO_DISABLE": "1", "TORCH_HOME": "/x"}, threads=2, stack_slug="some-stack")
    assert decisive(whole) == {
        "MKL_NUM_THREADS": "2",
        "OMP_NUM_THREADS": "2",
        "TORCHDYNAMO_DISABLE": "1",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }
