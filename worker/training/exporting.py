"""Exporting: a fine-tuned transformer as a file of whole numbers that onnxruntime runs."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from worker.training.finetuning import Net, tokenizer_of_base

_OPSET = 17
_OUTPUTS = ["sums", "each"]
_QUANTIZED = ["MatMul", "Gather"]


def export(net: Net, network: Path, tokenizer: Path) -> None:
    """Write the network with weights of eight bits, and its tokenizer.

    Weights have seven of them in use, so that processors without instructions for this
    come to the same numbers as those that have them.
    """
    with TemporaryDirectory() as folder:
        plain, prepared = Path(folder) / "plain.onnx", Path(folder) / "prepared.onnx"
        _write_plain(net, plain)
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(
            prepared,
            network,
            op_types_to_quantize=_QUANTIZED,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
    tokenizer_of_base().save(str(tokenizer), pretty=False)


def _write_plain(net: Net, file: Path) -> None:
    ids = torch.ones((2, 8), dtype=torch.int64)
    sizes = {0: "texts", 1: "tokens"}
    net.eval().forward = net.each
    torch.onnx.export(
        net,
        (ids, torch.ones_like(ids)),
        str(file),
        input_names=["ids", "mask"],
        output_names=_OUTPUTS,
        dynamic_axes={"ids": sizes, "mask": sizes, "sums": {0: "texts"}, "each": sizes},
        opset_version=_OPSET,
        dynamo=False,
    )
